import { describe, expect, it } from "vitest";
import { isSlackRequest } from "./signature.ts";

/** The example in Slack's own documentation of signed requests. */
const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const SECONDS = 1_531_420_618;
const BODY = Buffer.from(
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
);
const HEADERS = {
  "x-slack-request-timestamp": String(SECONDS),
  "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
};
const NOW = SECONDS * 1_000;

function check(change: { headers?: Record<string, string>; body?: Uint8Array; secret?: string; now?: number } = {}) {
  const headers = new Headers({ ...HEADERS, ...change.headers });
  return isSlackRequest(headers, change.body ?? BODY, change.secret ?? SECRET, change.now ?? NOW);
}

describe("Slack's signature", () => {
  it("accepts Slack's own example, up to five minutes either way", () => {
    expect(check()).toBe(true);
    expect(check({ now: NOW + 300_000 })).toBe(true);
    expect(check({ now: NOW - 300_000 })).toBe(true);
  });

  it.each([
    ["older", { now: NOW + 300_001 }],
    ["from the future", { now: NOW - 300_001 }],
    ["another secret", { secret: "another" }],
    ["an empty signature", { headers: { "x-slack-signature": "" } }],
    ["a shorter signature", { headers: { "x-slack-signature": HEADERS["x-slack-signature"].slice(0, -1) } }],
    ["two signatures", { headers: { "x-slack-signature": `${HEADERS["x-slack-signature"]}, v0=00` } }],
    ["another version", { headers: { "x-slack-signature": HEADERS["x-slack-signature"].replace("v0", "v1") } }],
    ["a time that is no number", { headers: { "x-slack-request-timestamp": "NaN" } }],
    ["the same time in other words", { headers: { "x-slack-request-timestamp": `${SECONDS}.0` } }],
    ["other bytes", { body: Buffer.concat([BODY, Buffer.from("&")]) }],
  ])("refuses %s", (_, change) => {
    expect(check(change)).toBe(false);
  });
});
