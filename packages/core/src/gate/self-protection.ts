/**
 * A built-in rule that no policy lifts: an agent's call may not reach for the gate itself, for its policies, its record, or
 * its command. Best effort: it reads names as texts. A link, a shell's variable or an encoded name gets past it
 * (limits.md, 4), so a tool that is a shell wants an account of its own all the same.
 */
import type { ToolCall } from "../call.ts";
import type { Decision, EvaluationContext } from "../decision.ts";
import type { PastCalls } from "../past-calls.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Policies } from "../ports.ts";
import type { Json, JsonObject } from "../value/json.ts";

export interface OwnPlaces {
  /** Absolute paths of files and directories, and all below them. */
  readonly paths: readonly string[];
  /** The absolute directory that relative paths in arguments start from. */
  readonly base: string;
}

export const SELF_PROTECTION = "gate.protected";

/** The same policies, with every call denied that touches what is the gate's own. */
export function protecting(policies: Policies, own: OwnPlaces): Policies {
  const places = own.paths.map((path) => folded(resolved(path, "/")));
  const guarded = new WeakMap<PolicySet, PolicySet>();
  return {
    ...(policies.named === undefined ? {} : { named: policies.named }),
    ...(policies.stamp === undefined ? {} : { stamp: policies.stamp }),
    current() {
      const set = policies.current();
      const known = guarded.get(set) ?? guardedSet(set, places, own.base);
      guarded.set(set, known);
      return known;
    },
  };
}

function guardedSet(set: PolicySet, places: readonly string[], base: string): PolicySet {
  const guard = (call: ToolCall, decision: Decision): Decision => {
    if (decision.verdict === "deny") return decision;
    const reaches = touches(call.args, places, base) || touches(decision.changed?.args ?? {}, places, base);
    return reaches ? refusal(set.revision) : decision;
  };
  return {
    ...set,
    evaluate: (call: ToolCall, context: EvaluationContext, history?: PastCalls) =>
      guard(call, set.evaluate(call, context, history)),
    explain: (call: ToolCall, context: EvaluationContext, history?: PastCalls) =>
      guard(call, set.explain(call, context, history)),
  };
}

function refusal(revision: string): Decision {
  const reason = "The call reaches for the gate's own files or command.";
  return { verdict: "deny", by: [SELF_PROTECTION], reason, revision, rules: [], pauses: [] };
}

/** Arguments whose text is a command line: each word of them counts, and not only the whole. */
const COMMAND_KEYS = /^(?:cmd|command|commands|script|shell|bash|code|exec|run)$/i;
const WORDS = /[^\s"'`;|&<>()=,]+/g;
const OWN_COMMAND = /(?:^|[\\/])saferun(?:\.m?js|\.cmd)?$/i;
/** No path is longer. */
const MOST_PATH = 4_096;

/** Total over what `normalize` made: bounded depth and size. */
function touches(value: Json, places: readonly string[], base: string, isCommand = false): boolean {
  if (typeof value === "string") return reaches(value, places, base, isCommand);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((item: Json) => touches(item, places, base, isCommand));
  return Object.entries(value as JsonObject).some(([key, item]) =>
    touches(item, places, base, isCommand || COMMAND_KEYS.test(key)),
  );
}

function reaches(text: string, places: readonly string[], base: string, isCommand: boolean): boolean {
  if (isOwn(text.trim(), places, base)) return true;
  if (!isCommand) return false;
  return (text.match(WORDS) ?? []).some((word) => OWN_COMMAND.test(word) || isOwn(word, places, base));
}

function isOwn(text: string, places: readonly string[], base: string): boolean {
  if (text === "" || text.length > MOST_PATH || text.includes("\n")) return false;
  const path = folded(resolved(text.replace(/^file:\/\/(?:localhost)?/i, ""), base));
  return places.some((place) => path === place || path.startsWith(`${place}/`));
}

/** Lexical: `.` and `..` and doubled slashes are resolved, links are not. */
function resolved(path: string, base: string): string {
  const slashed = path.replaceAll("\\", "/");
  const whole =
    slashed.startsWith("/") || /^[A-Za-z]:\//.test(slashed) ? slashed : `${base.replaceAll("\\", "/")}/${slashed}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Some file systems know no case and one Unicode form: here the stricter reading counts everywhere. */
function folded(path: string): string {
  return path.normalize("NFKC").toLowerCase();
}
