/**
 * What is kept of a call to find loops: digests, never values.
 *
 * Keys are taken over canonical arguments, so that neither key order nor white space makes an old call look new.
 */
import { toHex } from "../../call.ts";
import type { Outcome } from "../../lifecycle.ts";
import type { Hash } from "../../ports.ts";
import type { CallKind, ToolTraits } from "../../traits.ts";
import { canonicalJson, type Json, type JsonObject } from "../../value/json.ts";
import { pick, without } from "../path.ts";
import { maskInto } from "./mask.ts";
import { minHash } from "./minhash.ts";

/** A call before it runs. */
export interface CallKeys {
  readonly tool: string;
  readonly kind: CallKind;
  /** Tool and arguments without the volatile ones. 32 hex digits, as are all keys. */
  readonly callKey: string;
  /** Tool and identity arguments; null where none are declared. */
  readonly identityKey: string | null;
  /** One for each recipient, without duplicates, at most `RECIPIENTS`. */
  readonly recipients: readonly string[];
}

/** What came back. */
export interface ResultKeys {
  /** The declared progress, else the whole result; times, ids and durations masked. */
  readonly resultKey: string;
  /** Of the whole result. */
  readonly minHash: string;
}

/** A call that is over. Plain JSON. */
export interface Fingerprint {
  readonly callId: string;
  /** Ms since 1970. */
  readonly at: number;
  readonly tool: string;
  readonly kind: CallKind;
  readonly callKey: string;
  readonly identityKey: string | null;
  readonly resultKey: string;
  readonly minHash: string;
  readonly outcome: Outcome;
  /** From the tool's protocol; null where it succeeded. */
  readonly errorClass: string | null;
}

/** Recipients of one call that are told apart; those beyond count as one. */
const RECIPIENTS = 64;
const KEY_DIGITS = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `args` are canonical and frozen, `bytes` their RFC 8785 text: a `ToolCall`. */
export function callKeys(
  call: { readonly tool: string; readonly args: JsonObject; readonly bytes: string },
  traits: ToolTraits,
  hash: Hash,
): CallKeys {
  const { tool, args, bytes } = call;
  const volatile = traits.volatile ?? [];
  const text = volatile.length === 0 ? bytes : canonicalJson(without(args, volatile));
  const identity = traits.identity?.map((path) => pick(args, path));
  return {
    tool,
    kind: traits.kind,
    callKey: keyOf("call", [tool, text], hash),
    identityKey: identity === undefined ? null : keyOf("identity", [tool, canonicalJson(identity)], hash),
    recipients: recipientsOf(args, traits.recipients ?? [], hash),
  };
}

/** `text` is the result, UTF-8: a text as it is, anything else as JSON. Bounded by its length; about 5 µs for half a kilobyte. */
export function resultKeys(text: Uint8Array, traits: ToolTraits, hash: Hash): ResultKeys {
  const size = RESULT_DOMAIN.length + text.length;
  const plain = size <= scratch.length ? scratch : new Uint8Array(size);
  plain.set(RESULT_DOMAIN);
  const end = maskInto(text, plain, RESULT_DOMAIN.length);
  const progress = traits.progress === undefined ? undefined : progressOf(text, traits.progress);
  return {
    resultKey: progress === undefined ? digest(plain.subarray(0, end), hash) : keyOf("progress", [progress], hash),
    minHash: minHash(plain.subarray(RESULT_DOMAIN.length, end)),
  };
}

const RESULT_DOMAIN = encoder.encode("saferun/loop/result/v1\u0000");
/** For all but long results: nothing else runs while one is read. */
const scratch = new Uint8Array(16_384);

/** Undefined where the result has no such part: then the whole result counts. */
function progressOf(text: Uint8Array, path: string): string | undefined {
  try {
    const found = pick(JSON.parse(decoder.decode(text)) as Json, path);
    return found.length === 0 ? undefined : canonicalJson(found);
  } catch {
    return undefined;
  }
}

function recipientsOf(args: JsonObject, paths: readonly string[], hash: Hash): readonly string[] {
  const keys = new Set<string>();
  for (const path of paths) {
    for (const value of pick(args, path)) {
      if (keys.size >= RECIPIENTS) return [...keys];
      keys.add(recipientKey(value, hash));
    }
  }
  return [...keys];
}

/** What an agent's history knows a recipient by. */
export function recipientKey(value: Json, hash: Hash): string {
  return keyOf("recipient", [typeof value === "string" ? folded(value) : canonicalJson(value)], hash);
}

/** Spellings of one address: case, width and surrounding space are no new recipient. */
function folded(address: string): string {
  return address.normalize("NFKC").trim().toLowerCase();
}

function keyOf(domain: string, parts: readonly string[], hash: Hash): string {
  return digest(encoder.encode(`saferun/loop/${domain}/v1\u0000${parts.join("\u0000")}`), hash);
}

function digest(bytes: Uint8Array, hash: Hash): string {
  return toHex(hash.sha256(bytes).subarray(0, KEY_DIGITS / 2));
}
