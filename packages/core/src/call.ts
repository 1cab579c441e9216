/**
 * Step 1 of the path: `unknown` → a closed, frozen, digested tool call.
 *
 * What is judged here is what is sent: the tool later receives a copy parsed from `bytes`, so nothing that a caller or a
 * policy does to its own objects in between can reach the tool (traps.md, 12).
 */
import { canonicalJson, type Json, type JsonObject, JsonProblem } from "./json.ts";
import { LIMITS } from "./limits.ts";
import type { Hash } from "./ports.ts";

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
  return normalized(input, hash);
}

/** The same without a digest: for a call that is only judged, as in a backtest, and to which no approval can be bound. */
export function normalizeUnbound(input: CallInput): Normalized {
  return normalized(input, null);
}

function normalized(input: CallInput, hash: Hash | null): Normalized {
  try {
    const tool = name(input.tool, "$.tool");
    const args = Object.freeze(closedMap(input.args === undefined ? {} : input.args, "$.args", { values: 0 }, 1));
    const bytes = canonicalJson(args);
    if (overBytes(bytes, LIMITS.argsBytes)) {
      throw new JsonProblem("$.args", `arguments over ${LIMITS.argsBytes} bytes`);
    }
    const { agent, environment } = input;
    return {
      ok: true,
      call: Object.freeze({
        tool,
        agent,
        environment,
        args,
        bytes,
        digest: hash === null ? "" : digestOf(tool, agent, environment, bytes, hash),
      }),
    };
  } catch (error) {
    if (error instanceof JsonProblem) return { ok: false, malformed: { path: error.path, message: error.message } };
    // A getter or proxy trap of the caller threw: its text is not ours to repeat.
    return { ok: false, malformed: { path: "$", message: "a value that cannot be read" } };
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

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function digestOf(tool: string, agent: string, environment: string, bytes: string, hash: Hash): string {
  const head = canonicalJson([tool, agent, environment]);
  return toHex(hash.sha256(encoder.encode(`saferun/call/v1\u0000${head}\u0000${bytes}`)));
}

function name(value: unknown, path: string): string {
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

interface Count {
  values: number;
}

function closed(value: unknown, path: string, count: Count, depth: number): Json {
  if (++count.values > LIMITS.jsonValues) throw new JsonProblem(path, `more than ${LIMITS.jsonValues} values`);
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) throw new JsonProblem(path, "text with a lone surrogate");
      if (value.includes("\u0000")) throw new JsonProblem(path, "text with a null byte");
      return value;
    case "boolean":
      return value;
    case "number":
      return closedNumber(value, path);
    case "object":
      if (value === null) return null;
      if (depth > LIMITS.jsonDepth) throw new JsonProblem(path, `nesting over ${LIMITS.jsonDepth} levels`);
      return Object.freeze(
        Array.isArray(value) ? closedList(value, path, count, depth) : closedMap(value, path, count, depth),
      );
    default:
      throw new JsonProblem(path, `a value of type ${typeof value}`);
  }
}

function closedNumber(value: number, path: string): number {
  if (!Number.isFinite(value)) throw new JsonProblem(path, `the number ${String(value)}`);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER && Number.isInteger(value)) {
    throw new JsonProblem(path, "an integer beyond ±(2^53−1), which JSON numbers do not hold exactly");
  }
  return value === 0 ? 0 : value;
}

function closedList(list: readonly unknown[], path: string, count: Count, depth: number): Json[] {
  if (Object.getPrototypeOf(list) !== Array.prototype) throw new JsonProblem(path, "a list that is not plain");
  const copy: Json[] = [];
  for (let index = 0; index < list.length; index++) {
    const item = ownValue(list, String(index), `${path}[${index}]`);
    if (item === undefined) throw new JsonProblem(`${path}[${index}]`, "a hole in a list");
    copy.push(closed(item, `${path}[${index}]`, count, depth + 1));
  }
  return copy;
}

function closedMap(map: unknown, path: string, count: Count, depth: number): JsonObject {
  if (typeof map !== "object" || map === null || Array.isArray(map))
    throw new JsonProblem(path, "arguments must be an object");
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) throw new JsonProblem(path, "an object that is not plain");
  if (Object.getOwnPropertySymbols(map).length > 0) throw new JsonProblem(path, "a key that is a symbol");
  const copy: Record<string, Json> = {};
  const seen = new Set<string>();
  for (const key of Object.keys(map)) {
    const at = `${path}.${printable(key)}`;
    checkKey(key, at, seen);
    const value = ownValue(map, key, at);
    // An optional property that a framework filled with `undefined` is absent: the tool gets a copy without it.
    if (value !== undefined) copy[key] = closed(value, at, count, depth + 1);
  }
  return copy;
}

/** Keys that have one spelling but for their case. */
const PLAIN_KEY = /^[A-Za-z0-9_-]{1,64}$/;

function checkKey(key: string, path: string, seen: Set<string>): void {
  if (PROTOTYPE_KEYS.has(key)) throw new JsonProblem(path, `the key \`${key}\` is not allowed`);
  if (!key.isWellFormed() || CONTROL.test(key)) throw new JsonProblem(path, "a key with control characters");
  // `Amount` beside `amount`, or two Unicode spellings of one key: the rule would read one and the tool the other.
  const folded = (PLAIN_KEY.test(key) ? key : key.normalize("NFKC")).toLowerCase();
  if (seen.has(folded)) throw new JsonProblem(path, `the key \`${printable(key)}\` twice, in two spellings`);
  seen.add(folded);
}

function ownValue(object: object, key: string, path: string): unknown {
  const property = Object.getOwnPropertyDescriptor(object, key);
  if (property === undefined) return undefined;
  if (!("value" in property)) throw new JsonProblem(path, "an accessor");
  return property.value;
}

function printable(key: string): string {
  if (PLAIN_KEY.test(key)) return key;
  return key.length > 64
    ? `${key.slice(0, 64)}…`.toWellFormed()
    : key.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
}
