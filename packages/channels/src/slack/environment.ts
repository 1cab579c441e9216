/** The Slack channel of a process, set up by its environment when it is first used. */
import { needed, parsePeople } from "../people.ts";
import { createSlack, type SlackChannel, type SlackOptions } from "./slack.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** @throws SafeRunError `channel.unconfigured` naming the variable. */
export function slackOptions(variables: Variables): SlackOptions {
  const { SLACK_APP_TOKEN, SLACK_API_URL, SAFERUN_SLACK_APPROVERS } = variables;
  return {
    token: needed(variables, "SLACK_BOT_TOKEN", "the token of your Slack app's bot, `xoxb-…`"),
    signingSecret: needed(
      variables,
      "SLACK_SIGNING_SECRET",
      "your Slack app's signing secret, under Basic Information",
    ),
    approvers: parsePeople(SAFERUN_SLACK_APPROVERS ?? "", "SAFERUN_SLACK_APPROVERS"),
    ...(SLACK_APP_TOKEN ? { appToken: SLACK_APP_TOKEN } : {}),
    ...(SLACK_API_URL ? { apiUrl: SLACK_API_URL } : {}),
  };
}

/** Made by the first use; after `close` the next use makes another. */
function slackFromEnvironment(variables: () => Variables): SlackChannel {
  let made: SlackChannel | undefined;
  const channel = (): SlackChannel => {
    made ??= createSlack(slackOptions(variables()));
    return made;
  };
  return Object.freeze({
    // Without a promise around it a missing variable would be thrown at whoever makes the promise.
    notify: async (target, paused) => channel().notify(target, paused),
    update: async (approval) => channel().update(approval),
    handle: async (request) => channel().handle(request),
    get direct() {
      return channel().direct;
    },
    async close() {
      await made?.close();
      made = undefined;
    },
  } satisfies SlackChannel);
}

/**
 * The Slack app named by `SLACK_BOT_TOKEN` and `SLACK_SIGNING_SECRET`; with `SLACK_APP_TOKEN` over a socket. Who may
 * answer stands in `SAFERUN_SLACK_APPROVERS`: `U024BE7LH=ann:finance, U0G9QF9C6=bob`.
 *
 * @example
 * onPause: async (a) => slack.notify("#ops-approvals", a)
 */
export const slack: SlackChannel = slackFromEnvironment(() => process.env);
