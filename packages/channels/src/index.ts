export { ANSWERS, type AnswerWord } from "@saferun/core";
export type { Channel, Direct, OnError, Outgoing, PausedApproval } from "./channel.ts";
export { createDispatcher, type Dispatcher, type DispatcherOptions, type OutboxChannel } from "./dispatcher.ts";
export { createEmail, type EmailChannel, type EmailMessage, type EmailOptions } from "./email/email.ts";
export {
  type Channels,
  channels,
  channelsFromEnvironment,
  type DispatchOptions,
  type EnvironmentOptions,
  type Resolved,
  targetsIn,
  type Variables,
} from "./environment.ts";
export { createLinear, type LinearChannel, type LinearMessage, type LinearOptions } from "./linear/linear.ts";
export {
  createPagerDuty,
  type PagerDutyChannel,
  type PagerDutyMessage,
  type PagerDutyOptions,
} from "./pagerduty/pagerduty.ts";
export type { People, Person } from "./people.ts";
export { slack } from "./slack/environment.ts";
export type { SlackMessage } from "./slack/interaction.ts";
export { createSlack, type SlackChannel, type SlackOptions } from "./slack/slack.ts";
export { createWebhook, type WebhookChannel, type WebhookMessage, type WebhookOptions } from "./webhook/webhook.ts";
