/**
 * The content of an entry: parts beside the header, each committed to in it with a salt of its own.
 *
 * Content never makes recording fail: what canonical JSON refuses is wrapped in an object with an `encoding` field, and a
 * plain object that has such a field itself is wrapped too, so that nobody's content can pass for a wrapper.
 */

import { LIMITS } from "../limits.ts";
import type { Hash } from "../ports.ts";
import { toBase64 } from "../value/bytes.ts";
import { boundedJson, canonicalJson, type JsonBudget, spendJson } from "../value/json.ts";
import type { PartDraft } from "./entry.ts";

/** Bytes of a part's salt. */
export const SALT_BYTES = 32;

/** Values in one part: an object that stands in many places is written at each of them. */
const MOST_VALUES = 1_000_000;

const encoder = new TextEncoder();
const COMMITMENT_CONTEXT = "saferun/part/v1\u0000";
const PART_NAME = /^[a-z][a-z0-9_.-]*(\/[a-z0-9_.-]+)*$/;

export function isPartName(name: string): boolean {
  return name.length <= LIMITS.nameBytes && PART_NAME.test(name);
}

/** SHA-256("saferun/part/v1" 0 name 0 salt bytes). Hides the bytes as long as the salt is unknown. */
export function partCommitment({ name, salt, bytes }: PartDraft, hash: Hash): Uint8Array {
  const context = contextOf(name);
  const size = context.length + salt.length + bytes.length;
  const input = size <= commitmentInput.length ? commitmentInput.subarray(0, size) : new Uint8Array(size);
  input.set(context);
  input.set(salt, context.length);
  input.set(bytes, context.length + salt.length);
  return hash.sha256(input);
}

/** One buffer for all but the large: hashing is synchronous and keeps nothing of its input. */
const commitmentInput = new Uint8Array(16_384);

/** The beginning of what is hashed for a part of this name. A log uses a handful of names, a hostile one any number. */
const contexts = new Map<string, Uint8Array>();
const MOST_CONTEXTS = 256;

function contextOf(name: string): Uint8Array {
  let context = contexts.get(name);
  if (context === undefined) {
    context = encoder.encode(`${COMMITMENT_CONTEXT}${name}\u0000`);
    if (contexts.size >= MOST_CONTEXTS) contexts.clear();
    contexts.set(name, context);
  }
  return context;
}

/**
 * Any value → the bytes of a part. Never throws.
 * - a JSON value: its canonical JSON
 * - `{"encoding":"base64","data"}`: bytes; `{"encoding":"utf-16","data"}`: text with lone surrogates, little-endian
 * - `{"encoding":"json","value"}`: an object that has a key `encoding` itself
 * - `{"encoding":"text","text"}`: the nearest JSON text of what JSON cannot carry exactly (NaN, depth, classes, cycles)
 * - `{"encoding":"omitted","bytes"}`: over `LIMITS.partBytes`; only the length is kept, where it is known without writing
 *   everything out
 */
export function encodePart(value: unknown): Uint8Array {
  const budget: JsonBudget = { values: MOST_VALUES, characters: LIMITS.partBytes };
  const text = partText(value, budget);
  if (budget.values < 0 || budget.characters < 0) return encoder.encode(canonicalJson({ encoding: "omitted" }));
  const bytes = encoder.encode(text);
  if (bytes.length <= LIMITS.partBytes) return bytes;
  return encoder.encode(canonicalJson({ encoding: "omitted", bytes: bytes.length }));
}

function partText(value: unknown, budget: JsonBudget): string {
  try {
    if (value instanceof Uint8Array) return canonicalJson(base64Form(value, budget));
    if (typeof value === "string" && !value.isWellFormed()) {
      spendJson(budget, value.length);
      return canonicalJson({ encoding: "utf-16", data: toBase64(utf16(value)) });
    }
    const text = boundedJson(value, { ...budget });
    if (typeof value === "object" && value !== null && Object.hasOwn(value, "encoding")) {
      return `{"encoding":"json","value":${text}}`;
    }
    return text;
  } catch {
    return canonicalJson({ encoding: "text", text: nearestText(value, budget) });
  }
}

function base64Form(bytes: Uint8Array, budget: JsonBudget): object {
  spendJson(budget, bytes.length);
  return { encoding: "base64", data: toBase64(bytes) };
}

function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes[index * 2] = unit & 255;
    bytes[index * 2 + 1] = unit >> 8;
  }
  return bytes;
}

function nearestText(value: unknown, budget: JsonBudget): string {
  try {
    // Well-formed: JSON.stringify escapes lone surrogates.
    return JSON.stringify(value, tolerant(budget)) ?? String(value);
  } catch {
    return `a value of type ${typeof value} that cannot be read`;
  }
}

/** A replacer that says in words what JSON has no form for. */
function tolerant(budget: JsonBudget): (this: unknown, key: string, value: unknown) => unknown {
  const ancestors: unknown[] = [];
  return function replace(this: unknown, key, value) {
    spendJson(budget, key.length + (typeof value === "string" ? value.length : 0));
    switch (typeof value) {
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "bigint":
      case "symbol":
        return String(value);
      case "undefined":
        return "undefined";
      case "function":
        return `function ${value.name}`;
      case "object":
        break;
      default:
        return value;
    }
    if (value === null) return null;
    // `this` holds the value: what is above it in the list was left behind.
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return "[circular]";
    const plain = plainForm(value, budget);
    ancestors.push(plain);
    return plain;
  };
}

function plainForm(value: object, budget: JsonBudget): object {
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map) return [...value.entries()];
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return base64Form(value, budget);
  return value;
}
