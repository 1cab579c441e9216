/** One line of calls, as `saferun eval` documents it → a tool call and all that it is judged by. */
import {
  type EvaluationContext,
  type Json,
  type JsonObject,
  JsonTextProblem,
  LIMITS,
  NOBODY,
  normalizeUnbound,
  type Principal,
  parseJson,
  type ToolCall,
} from "@saferun/core";

export interface CallLine {
  readonly call: ToolCall;
  readonly principal: Principal;
  readonly context: JsonObject;
  /** Ms; undefined where the line says nothing. */
  readonly now: number | undefined;
  /** Lines with the same one are one run. */
  readonly run: string | undefined;
  readonly prompted: boolean;
  /** It says what the tool returned: then the call was made, where it was not denied. */
  readonly ran: boolean;
  /** All keys of the line, for what else a command reads. */
  readonly fields: JsonObject;
}

/** Why a line is no call, in words. */
class LineProblem extends Error {
  override readonly name = "LineProblem";
}

/** The call has no digest: it is judged and not run. @throws an error that `lineProblemText` puts into words. */
export function readCallLine(text: string): CallLine {
  const fields = lineOf(text);
  const agent = optionalName(fields, "agent") ?? "agent";
  const environment = optionalName(fields, "env") ?? "prod";
  const tool = own(fields, "tool");
  const normalized = normalizeUnbound({ tool, args: required(fields, "args"), agent, environment });
  if (!normalized.ok) throw new LineProblem(`${normalized.malformed.path}: ${normalized.malformed.message}`);
  return {
    call: normalized.call,
    principal: principalOf(fields),
    context: mapOf(fields, "context"),
    now: momentOf(fields),
    run: optionalName(fields, "run"),
    prompted: promptOf(fields) !== undefined,
    ran: own(fields, "result") !== undefined,
    fields,
  };
}

export function lineProblemText(error: unknown): string {
  if (error instanceof JsonTextProblem) return `column ${error.column}: ${error.message}`;
  if (error instanceof LineProblem) return error.message;
  return "the line could not be judged";
}

/**
 * What each line is judged by, in the order of the lines: a prompt that was given once counts for the later lines of its run.
 * `start`, ms, is the moment of lines without one.
 */
export function lineContexts(start: number): (line: CallLine, number: number) => EvaluationContext {
  const runs = new Map<string, { prompted: boolean; lines: number }>();
  return ({ call, principal, context, now, run, prompted }, number) => {
    const known = (run === undefined ? undefined : runs.get(run)) ?? { prompted: false, lines: 0 };
    known.prompted ||= prompted;
    known.lines += 1;
    if (run !== undefined) runs.set(run, known);
    const id = `line-${number}`;
    return {
      agent: call.agent,
      environment: call.environment,
      principal,
      context,
      run: { id: run ?? id, prompted: known.prompted, untrusted: false, turn: known.lines - 1 },
      call: { id, depth: 0, attempt: 1 },
      now: now ?? start,
    };
  };
}

function lineOf(text: string): JsonObject {
  const value = quickly(text) ?? parseJson(text);
  if (!isMap(value)) throw new LineProblem('a call must be an object such as {"tool":"NAME","args":{}}');
  return value;
}

/** A text that comes out as it went in had no key twice and no number that changes: the strict reader finds no more. */
function quickly(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function required(line: JsonObject, key: string): Json {
  const value = own(line, key);
  if (value === undefined) throw new LineProblem(`\`${key}\` is missing`);
  return value;
}

/** Names that are what they seem; all others are looked at more closely. */
const PLAIN_NAME = /^[ -~]{1,85}$/;

function optionalName(line: JsonObject, key: string): string | undefined {
  const value = own(line, key);
  if (value === undefined || (typeof value === "string" && PLAIN_NAME.test(value))) return value;
  if (typeof value !== "string" || value === "" || value.length > LIMITS.nameBytes || !plain(value)) {
    throw new LineProblem(`\`${key}\` must be a name: a text that is not empty, of at most ${LIMITS.nameBytes} bytes`);
  }
  return value.normalize("NFC");
}

function plain(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
}

function promptOf(line: JsonObject): readonly string[] | undefined {
  const value = own(line, "prompt");
  if (value === undefined) return undefined;
  if (typeof value === "string") return [value];
  if (isTexts(value)) return value;
  throw new LineProblem("`prompt` must be a text or a list of texts");
}

function principalOf(line: JsonObject): Principal {
  const value = own(line, "principal");
  if (value === undefined) return NOBODY;
  if (!isMap(value)) throw new LineProblem("`principal` must be an object with an `id`");
  const id = own(value, "id");
  const kind = own(value, "kind") ?? "person";
  const roles = own(value, "roles") ?? [];
  const labels = own(value, "labels") ?? {};
  if (typeof id !== "string") throw new LineProblem("`principal.id` must be a text");
  if (kind !== "person" && kind !== "service" && kind !== "none") {
    throw new LineProblem("`principal.kind` must be `person`, `service` or `none`");
  }
  if (!isTexts(roles)) throw new LineProblem("`principal.roles` must be a list of texts");
  if (!isTextMap(labels)) throw new LineProblem("`principal.labels` must be a map of texts");
  return { id, kind, roles, labels };
}

/** Host data under the same bounds as arguments: plain, frozen, without prototype names. */
function mapOf(line: JsonObject, key: string): JsonObject {
  const value = own(line, key);
  if (value === undefined) return {};
  const closed = normalizeUnbound({ tool: key, args: value, agent: "", environment: "" });
  if (closed.ok) return closed.call.args;
  throw new LineProblem(`\`${key}\`${closed.malformed.path.slice("$.args".length)}: ${closed.malformed.message}`);
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
/** The range of a `Date`. */
const LAST_MOMENT = 8.64e15;

function momentOf(line: JsonObject): number | undefined {
  const value = own(line, "now");
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && Math.abs(value) <= LAST_MOMENT) return value;
  const ms = typeof value === "string" && RFC3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new LineProblem("`now` must be a moment such as `2026-05-15T15:00:00Z`, or milliseconds since 1970");
  }
  return ms;
}

function own(map: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function isMap(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isTextMap(value: Json): value is Readonly<Record<string, string>> {
  return isMap(value) && Object.values(value).every((item) => typeof item === "string");
}
