/**
 * Step 1 of the path: `unknown` → a closed, frozen, digested tool call.
 *
 * What is judged here is what is sent: the tool later receives a copy parsed from `bytes`, so nothing that a caller or a
 * policy does to its own objects in between can reach the tool (traps.md, 12).
 */

import { LIMITS } from "./limits.ts";
import type { Hash } from "./ports.ts";
import { canonicalJson, type Json, type JsonObject, JsonProblem } from "./value/json.ts";

/** One request to run one tool with arguments. Deeply frozen. */
export interface ToolCall {
  readonly tool: string;
  readonly agent: string;
  readonly environment: string;
  readonly args: JsonObject;
  /** RFC 8785 text of `args`: the bytes that are executed. */
  readonly bytes: string;
  /** SHA-256, hex, over tool, agent, environment and arguments: what an approval is bound to. */
  readonly digest: string;
}

/** Why a request is no tool call. `path` is where (`$.args.amount`), `message` what, in words for the agent. */
export interface Malformed {
  readonly path: string;
  readonly message: string;
}

export type Normalized =
  | { readonly ok: true; readonly call: ToolCall }
  | { readonly ok: false; readonly malformed: Malformed };

export interface CallInput {
  readonly tool: unknown;
  readonly args: unknown;
  readonly agent: string;
  readonly environment: string;
}

const encoder = new TextEncoder();
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Keys that reach an object's prototype when some later code assigns them. */
const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Total: whatever comes in, either a call or the reason why it is none. */
export function normalize(input: CallInput, hash: Hash): Normalized {
  return normalized(input, ({ tool, agent, environment, args }) => {
    const bytes = boundedText(args);
    return Object.freeze({
      tool,
      agent,
      environment,
      args,
      bytes,
      digest: digestOf(tool, agent, environment, bytes, hash),
    });
  });
}

/** The same without a digest: for a call that is only judged, as in a backtest, and to which no approval can be bound. */
export function normalizeUnbound(input: CallInput): Normalized {
  return normalized(input, (parts, mostBytes) => {
    // Most calls are far too small for their text to be needed.
    if (mostBytes > LIMITS.argsBytes) boundedText(parts.args);
    return Object.freeze(new UnboundCall(parts));
  });
}

type CallParts = Omit<ToolCall, "bytes" | "digest">;

function normalized(input: CallInput, callOf: (parts: CallParts, mostBytes: number) => ToolCall): Normalized {
  try {
    const tool = name(input.tool, "$.tool");
    const at: Place = { steps: [], values: 0, mostBytes: VALUE_BYTES };
    const args = Object.freeze(closedMap(input.args === undefined ? {} : input.args, at));
    const { agent, environment } = input;
    return { ok: true, call: callOf({ tool, agent, environment, args }, at.mostBytes) };
  } catch (error) {
    if (error instanceof JsonProblem) return { ok: false, malformed: { path: error.path, message: error.message } };
    // A getter or proxy trap of the caller threw: its text is not ours to repeat.
    return { ok: false, malformed: { path: "$", message: "a value that cannot be read" } };
  }
}

function boundedText(args: JsonObject): string {
  const text = canonicalJson(args);
  if (overBytes(text, LIMITS.argsBytes)) throw new JsonProblem("$.args", `arguments over ${LIMITS.argsBytes} bytes`);
  return text;
}

/** Its text is written only when somebody asks for it. */
class UnboundCall implements ToolCall {
  readonly tool: string;
  readonly agent: string;
  readonly environment: string;
  readonly args: JsonObject;
  readonly digest = "";
  #bytes: string | undefined;

  constructor({ tool, agent, environment, args }: CallParts) {
    this.tool = tool;
    this.agent = agent;
    this.environment = environment;
    this.args = args;
  }

  get bytes(): string {
    this.#bytes ??= canonicalJson(this.args);
    return this.#bytes;
  }
}

/** Canonical text → the same frozen arguments; for records read back from a store. */
export function callFromBytes(
  parts: { tool: string; agent: string; environment: string; bytes: string },
  hash: Hash,
): ToolCall {
  const result = normalize({ ...parts, args: JSON.parse(parts.bytes) as unknown }, hash);
  if (!result.ok) throw new JsonProblem(result.malformed.path, result.malformed.message);
  return result.call;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at++) text += HEX[bytes[at] ?? 0];
  return text;
}

function digestOf(tool: string, agent: string, environment: string, bytes: string, hash: Hash): string {
  const head = canonicalJson([tool, agent, environment]);
  return toHex(hash.sha256(encoder.encode(`saferun/call/v1\u0000${head}\u0000${bytes}`)));
}

/** Names that are what they seem; all others are looked at more closely. */
const PLAIN_NAME = /^[ -~]{1,85}$/;

function name(value: unknown, path: string): string {
  if (typeof value === "string" && PLAIN_NAME.test(value)) return value;
  if (typeof value !== "string" || value === "")
    throw new JsonProblem(path, "a tool name must be a text that is not empty");
  if (!value.isWellFormed() || CONTROL.test(value)) throw new JsonProblem(path, "a name with control characters");
  const normal = value.normalize("NFC");
  if (overBytes(normal, LIMITS.nameBytes)) throw new JsonProblem(path, `a name over ${LIMITS.nameBytes} bytes`);
  return normal;
}

/** A code unit is at most three bytes, so that most texts need not be encoded to know. */
function overBytes(text: string, most: number): boolean {
  return text.length * 3 > most && encoder.encode(text).length > most;
}

/** Where in the arguments the reader stands, and what it has met so far. */
interface Place {
  /** Keys and positions below `$.args`; written out only for a problem. */
  readonly steps: (string | number)[];
  values: number;
  /** What the canonical text of all that was met has at most. */
  mostBytes: number;
}

/** Of a code unit: one that is escaped as `\u001f`. */
const UNIT_BYTES = 6;
/** Of a value beside its text: a number's digits, quotes, brackets, the comma. */
const VALUE_BYTES = 32;

function closed(value: unknown, at: Place): Json {
  if (++at.values > LIMITS.jsonValues) throw problem(at, `more than ${LIMITS.jsonValues} values`);
  at.mostBytes += VALUE_BYTES;
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) throw problem(at, "text with a lone surrogate");
      if (value.includes("\u0000")) throw problem(at, "text with a null byte");
      at.mostBytes += value.length * UNIT_BYTES;
      return value;
    case "boolean":
      return value;
    case "number":
      return closedNumber(value, at);
    case "object":
      if (value === null) return null;
      if (at.steps.length >= LIMITS.jsonDepth) throw problem(at, `nesting over ${LIMITS.jsonDepth} levels`);
      return Object.freeze(Array.isArray(value) ? closedList(value, at) : closedMap(value, at));
    default:
      throw problem(at, `a value of type ${typeof value}`);
  }
}

function closedNumber(value: number, at: Place): number {
  if (!Number.isFinite(value)) throw problem(at, `the number ${String(value)}`);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER && Number.isInteger(value)) {
    throw problem(at, "an integer beyond ±(2^53−1), which JSON numbers do not hold exactly");
  }
  return value === 0 ? 0 : value;
}

function closedList(list: readonly unknown[], at: Place): Json[] {
  if (Object.getPrototypeOf(list) !== Array.prototype) throw problem(at, "a list that is not plain");
  const copy: Json[] = [];
  for (let index = 0; index < list.length; index++) {
    at.steps.push(index);
    const item = ownValue(list, String(index), at);
    if (item === undefined) throw problem(at, "a hole in a list");
    copy.push(closed(item, at));
    at.steps.pop();
  }
  return copy;
}

function closedMap(map: unknown, at: Place): JsonObject {
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw problem(at, "arguments must be an object");
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) throw problem(at, "an object that is not plain");
  if (Object.getOwnPropertySymbols(map).length > 0) throw problem(at, "a key that is a symbol");
  const copy: Record<string, Json> = {};
  const keys = Object.keys(map);
  const seen = keys.every(isFolded) ? null : new Set<string>();
  for (const key of keys) {
    at.steps.push(key);
    if (seen !== null) checkKey(key, at, seen);
    const value = ownValue(map, key, at);
    at.mostBytes += key.length * UNIT_BYTES;
    // An optional property that a framework filled with `undefined` is absent: the tool gets a copy without it.
    if (value !== undefined) copy[key] = closed(value, at);
    at.steps.pop();
  }
  return copy;
}

/** Keys that have one spelling but for their case. */
const PLAIN_KEY = /^[A-Za-z0-9_-]{1,64}$/;
/** Those that are lower case already. */
const FOLDED_KEY = /^[a-z0-9_-]{1,64}$/;

/** Keys of this form are never twice in one map in two spellings. */
function isFolded(key: string): boolean {
  return FOLDED_KEY.test(key) && !PROTOTYPE_KEYS.has(key);
}

function checkKey(key: string, at: Place, seen: Set<string>): void {
  if (PROTOTYPE_KEYS.has(key)) throw problem(at, `the key \`${key}\` is not allowed`);
  if (!key.isWellFormed() || CONTROL.test(key)) throw problem(at, "a key with control characters");
  // `Amount` beside `amount`, or two Unicode spellings of one key: the rule would read one and the tool the other.
  const folded = (PLAIN_KEY.test(key) ? key : key.normalize("NFKC")).toLowerCase();
  if (seen.has(folded)) throw problem(at, `the key \`${printable(key)}\` twice, in two spellings`);
  seen.add(folded);
}

function ownValue(object: object, key: string, at: Place): unknown {
  const property = Object.getOwnPropertyDescriptor(object, key);
  if (property === undefined) return undefined;
  if (!("value" in property)) throw problem(at, "an accessor");
  return property.value;
}

function problem({ steps }: Place, message: string): JsonProblem {
  const path = steps.map((step) => (typeof step === "number" ? `[${step}]` : `.${printable(step)}`));
  return new JsonProblem(`$.args${path.join("")}`, message);
}

function printable(key: string): string {
  if (PLAIN_KEY.test(key)) return key;
  return key.length > 64
    ? `${key.slice(0, 64)}…`.toWellFormed()
    : key.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
}
