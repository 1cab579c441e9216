/** Standard Webhooks, symmetric: `v1,BASE64` of HMAC-SHA256 over `ID.TIMESTAMP.BODY`, the body as raw bytes. */
import { createHmac } from "node:crypto";
import { fromBase64 } from "@saferun/core";
import { isRecent, secondsToMs } from "../intake.ts";
import { sameText } from "../nonce.ts";
import { unconfigured } from "../people.ts";

const PREFIX = "whsec_";

/**
 * `whsec_BASE64` of 24 to 64 bytes, as the specification wants it; `name` is the option's.
 * @throws SafeRunError `channel.unconfigured`; the message does not repeat the secret.
 */
export function parseWebhookSecret(text: string, name: string): Uint8Array {
  const key = text.startsWith(PREFIX) ? fromBase64(text.slice(PREFIX.length)) : undefined;
  if (key === undefined || key.length < 24 || key.length > 64) {
    throw unconfigured(`\`${name}\` must be \`${PREFIX}\` and 24 to 64 random bytes in base64`);
  }
  return key;
}

export function webhookHeaders(key: Uint8Array, id: string, body: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatureOf(key, id, timestamp, Buffer.from(body)),
  };
}

/** The message's id where the request is signed and recent, else undefined. During a change of keys there are several signatures. */
export function signedId(headers: Headers, body: Uint8Array, key: Uint8Array, now: number): string | undefined {
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  if (!id || timestamp === null || !isRecent(secondsToMs(timestamp), now)) return undefined;
  const expected = signatureOf(key, id, timestamp, body);
  const signatures = (headers.get("webhook-signature") ?? "").split(" ");
  return signatures.some((signature) => sameText(signature, expected)) ? id : undefined;
}

function signatureOf(key: Uint8Array, id: string, timestamp: string, body: Uint8Array): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")}`;
}
