export { ANSWERS, type AnswerWord } from "./answer.ts";
export type { Channel, OnError, PausedApproval } from "./channel.ts";
export {
  createDispatcher,
  type Dispatcher,
  type DispatcherOptions,
  type OutboxChannel,
  type OutboxRows,
} from "./dispatcher.ts";
export { createEmail, type EmailChannel, type EmailMessage, type EmailOptions } from "./email/email.ts";
export {
  type Channels,
  channels,
  channelsFromEnvironment,
  type EnvironmentOptions,
  type Resolved,
  targetsIn,
  type Variables,
} from "./environment.ts";
export { createLinear, type LinearChannel, type LinearMessage, type LinearOptions } from "./linear/linear.ts";
export {
  dueAt,
  type OutboxEvent,
  type OutboxKind,
  type OutboxRow,
  type OutboxState,
  type OutboxStep,
  queued,
  stepOutbox,
} from "./outbox.ts";
export { outboxRows, toState } from "./outbox-rows.ts";
export {
  createPagerDuty,
  type PagerDutyChannel,
  type PagerDutyMessage,
  type PagerDutyOptions,
} from "./pagerduty/pagerduty.ts";
export type { People, Person } from "./people.ts";
export { nextAttempt } from "./schedule.ts";
export { slack } from "./slack/environment.ts";
export type { SlackMessage } from "./slack/interaction.ts";
export { createSlack, type SlackChannel, type SlackOptions } from "./slack/slack.ts";
export { createWebhook, type WebhookChannel, type WebhookMessage, type WebhookOptions } from "./webhook/webhook.ts";
