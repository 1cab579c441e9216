/** One line of calls → one line of decision (`saferun eval`). Whatever is wrong with a line is a denial of that line. */
import {
  type EvaluationContext,
  type Hash,
  type Json,
  type JsonObject,
  JsonTextProblem,
  LIMITS,
  NOBODY,
  normalize,
  type PolicySet,
  type Principal,
  parseJson,
} from "@saferun/core";

export interface JudgePorts {
  readonly policies: PolicySet;
  readonly hash: Hash;
  /** Ms: the moment of lines without `now`. */
  readonly start: number;
}

export interface DecisionLine {
  readonly verdict: "allow" | "deny" | "pause";
  readonly by: readonly string[];
  readonly reason: string;
  readonly revision: string;
  readonly error?: string;
}

/** Why a line is no call, in words. */
class LineProblem extends Error {
  override readonly name = "LineProblem";
}

interface RunSoFar {
  prompted: boolean;
  lines: number;
}

export interface Judge {
  /** Total. `undefined` stands for a line that could not even be read as text. */
  decide(line: string): DecisionLine;
  refuse(message: string): DecisionLine;
}

/** Lines with the same `run` are one run in order: a prompt that was given once counts for its later lines. */
export function createJudge(ports: JudgePorts): Judge {
  const runs = new Map<string, RunSoFar>();
  const { policies, hash, start } = ports;
  let number = 0;

  function refuse(message: string): DecisionLine {
    number++;
    return malformed(message, policies.revision);
  }

  function decide(text: string): DecisionLine {
    number++;
    try {
      const line = lineOf(text);
      const agent = optionalName(line, "agent") ?? "agent";
      const environment = optionalName(line, "env") ?? "prod";
      const normalized = normalize({ tool: own(line, "tool"), args: required(line, "args"), agent, environment }, hash);
      if (!normalized.ok) throw new LineProblem(`${normalized.malformed.path}: ${normalized.malformed.message}`);
      const { verdict, by, reason, revision } = policies.evaluate(normalized.call, contextOf(line, agent, environment));
      return { verdict, by, reason, revision };
    } catch (error) {
      // Also our own bugs: a line without an answer would be read as none needed.
      return malformed(problemText(error), policies.revision);
    }
  }

  function contextOf(line: JsonObject, agent: string, environment: string): EvaluationContext {
    const id = optionalName(line, "run") ?? `line-${number}`;
    const known = runs.get(id) ?? { prompted: false, lines: 0 };
    known.prompted ||= promptOf(line) !== undefined;
    known.lines += 1;
    if (Object.hasOwn(line, "run")) runs.set(id, known);
    return {
      agent,
      environment,
      principal: principalOf(line),
      context: mapOf(line, "context", hash),
      run: { id, prompted: known.prompted, untrusted: false, turn: known.lines - 1 },
      call: { id: `line-${number}`, depth: 0, attempt: 1 },
      now: momentOf(line) ?? start,
    };
  }

  return { decide, refuse };
}

function malformed(message: string, revision: string): DecisionLine {
  const reason = "the line is not a call, so it is denied";
  return { verdict: "deny", by: ["call.malformed"], reason, revision, error: message };
}

function problemText(error: unknown): string {
  if (error instanceof JsonTextProblem) return `column ${error.column}: ${error.message}`;
  if (error instanceof LineProblem) return error.message;
  return "the line could not be judged";
}

function lineOf(text: string): JsonObject {
  const value = parseJson(text);
  if (!isMap(value)) throw new LineProblem('a call must be an object such as {"tool":"NAME","args":{}}');
  return value;
}

function required(line: JsonObject, key: string): Json {
  const value = own(line, key);
  if (value === undefined) throw new LineProblem(`\`${key}\` is missing`);
  return value;
}

function optionalName(line: JsonObject, key: string): string | undefined {
  const value = own(line, key);
  if (value === undefined) return undefined;
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
function mapOf(line: JsonObject, key: string, hash: Hash): JsonObject {
  const value = own(line, key);
  if (value === undefined) return {};
  const closed = normalize({ tool: key, args: value, agent: "", environment: "" }, hash);
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
