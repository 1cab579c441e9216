/** Slack's request signature, version 0: HMAC-SHA256 over `v0:TIMESTAMP:BODY`, the body as raw bytes. */
import { createHmac } from "node:crypto";
import { isRecent, secondsToMs } from "../intake.ts";
import { sameText } from "../nonce.ts";

export function isSlackRequest(headers: Headers, body: Uint8Array, secret: string, now: number): boolean {
  const timestamp = headers.get("x-slack-request-timestamp");
  const signature = headers.get("x-slack-signature");
  if (timestamp === null || signature === null || !isRecent(secondsToMs(timestamp), now)) return false;
  return sameText(signature, slackSignature(timestamp, body, secret));
}

export function slackSignature(timestamp: string, body: Uint8Array, secret: string): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest("hex")}`;
}
