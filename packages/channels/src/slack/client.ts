/** Slack's Web API with its own retries off: it repeats after a 500 and after a time-out, and so posts a card twice. */
import type { SendFailure } from "@saferun/core";
import {
  LogLevel,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebClient,
  type WebClientOptions,
} from "@slack/web-api";

/** Slack waits three seconds for an answer to a click, and some of them are ours. */
const TIMEOUT_MS = 2_500;

export const clientOptions = (apiUrl: string | undefined): WebClientOptions => ({
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
  timeout: TIMEOUT_MS,
  allowAbsoluteUrls: false,
  logger: SILENT,
  ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
});

export function createSlackClient(token: string, apiUrl: string | undefined): WebClient {
  return new WebClient(token, clientOptions(apiUrl));
}

/** What Slack says no to stays a no; everything else may be another try away. */
export function slackFailure(error: unknown): SendFailure {
  if (error instanceof WebAPIPlatformError) {
    const { error: code } = error.data;
    const retry = TRANSIENT.includes(code);
    return { retry, message: `slack refuses with \`${code}\`${HINTS[code] ?? ""}` };
  }
  if (error instanceof WebAPIRateLimitedError) {
    return { retry: true, afterMs: error.retryAfter * 1_000, message: "slack asks for a pause" };
  }
  if (error instanceof WebAPIHTTPError) {
    const { statusCode } = error;
    const retry = statusCode >= 500 || statusCode === 408 || statusCode === 429;
    return { retry, message: `slack answers with status ${statusCode}` };
  }
  return { retry: true, message: "slack cannot be reached" };
}

const TRANSIENT: readonly string[] = [
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "ratelimited",
  "request_timeout",
];

const HINTS: Readonly<Record<string, string>> = {
  channel_not_found: "; check the channel's name and invite the app to it",
  not_in_channel: "; invite the app to the channel",
  missing_scope: "; give the app the scopes `chat:write` and `users:read`",
  invalid_auth: "; check `SLACK_BOT_TOKEN`",
  account_inactive: "; check `SLACK_BOT_TOKEN`",
  token_revoked: "; check `SLACK_BOT_TOKEN`",
};

const nothing = (): void => {};
/** Failures are told where they matter; the client's own lines could hold what a card says. */
const SILENT: NonNullable<WebClientOptions["logger"]> = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  getLevel: () => LogLevel.ERROR,
  setName: nothing,
};
