/** The texts that a given secret may stand as: itself, and in the encodings that frameworks and vendors carry it in. */

import { toHex } from "../call.ts";
import { concatBytes, toBase64 } from "../value/bytes.ts";

interface Form {
  readonly text: string;
  /** Characters on each side that hold bits of the secret beside bits of what stands next to it. */
  readonly before: number;
  readonly after: number;
}

/** UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const encoder = new TextEncoder();

/** Finds each of the secrets in a text, in every form. Time: the text's length times the number of forms. */
export function createFormFinder(secrets: readonly string[]): (text: string) => readonly Span[] {
  const forms = [...new Set(secrets)].flatMap(formsOf);
  const shortest = Math.min(...forms.map(({ text }) => text.length));
  return (text) => (text.length < shortest ? [] : forms.flatMap((form) => spansOf(form, text)));
}

function spansOf({ text: wanted, before, after }: Form, text: string): readonly Span[] {
  const found: Span[] = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length)) {
    const end = at + wanted.length;
    found.push({ start: Math.max(0, at - before), end: Math.min(text.length, end + after) });
  }
  return found;
}

function formsOf(secret: string): readonly Form[] {
  const bytes = encoder.encode(secret);
  const escaped = JSON.stringify(secret).slice(1, -1);
  const hex = toHex(bytes);
  const encoded = encodeURIComponent(secret.toWellFormed());
  const strict = encoded.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const urls = [encoded, strict].flatMap((url) => [url, url.replaceAll("%20", "+")]);
  const whole = [
    secret,
    escaped,
    JSON.stringify(escaped).slice(1, -1),
    hex,
    hex.toUpperCase(),
    ...urls,
    ...urls.map((url) => url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())),
  ].map((text): Form => ({ text, before: 0, after: 0 }));
  const inside = [0, 1, 2].map((offset) => base64Form(bytes, offset));
  const url = inside.map((form) => ({ ...form, text: form.text.replaceAll("+", "-").replaceAll("/", "_") }));
  const forms = new Map([...whole, ...inside, ...url].map((form) => [form.text, form]));
  return [...forms.values()];
}

/** The part of a base64 text that is the same wherever the secret stands among other bytes, that many after a group. */
function base64Form(bytes: Uint8Array, offset: number): Form {
  const text = toBase64(concatBytes(new Uint8Array(offset), bytes)).replaceAll("=", "");
  const split = (offset + bytes.length) % 3 !== 0;
  const from = offset === 0 ? 0 : offset + 1;
  return {
    text: text.slice(from, split ? -1 : undefined),
    before: offset === 0 ? 0 : 1,
    after: split ? 1 : 0,
  };
}
