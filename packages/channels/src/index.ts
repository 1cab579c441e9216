export { ANSWERS, type AnswerWord } from "./answer.ts";
export type { Channel, OnError, PausedApproval } from "./channel.ts";
export type { People, Person } from "./people.ts";
export { nextAttempt } from "./schedule.ts";
export { slack } from "./slack/environment.ts";
export type { SlackMessage } from "./slack/interaction.ts";
export { createSlack, type SlackChannel, type SlackOptions } from "./slack/slack.ts";
