/**
 * Steps 3 and 4 of the order of work: rules on the arguments as proposed; then the changes of the rules that matched, once,
 * on one snapshot; then deny, pause and the matched allow again on the result, and its schema.
 *
 * The strictest answer of both rounds stands, so that a change never turns a deny or a pause into an allow.
 */
import { changedPaths } from "../edit.ts";
import type { JsonObject } from "../value/json.ts";
import { applyChanges } from "./change/apply.ts";
import { combine, type Standing, sayAgain, stricter, type Unmatched } from "./combine.ts";
import type { CompiledRule } from "./compile.ts";
import { asRead, bound, Refused, refusalOf } from "./guard.ts";
import { type Case, type Heard, hear, type Version } from "./hearing.ts";
import { compareText } from "./issue.ts";

export interface Settled extends Standing {
  readonly heard: readonly Heard[];
  readonly version: Version;
  /** Set where no rule's own words say why. */
  readonly because?: string;
}

/** Which rules have a part in the result. */
export type Counts = (rule: CompiledRule) => boolean;

/** `all`: the rules in scope, as they spoke about `version`. */
export function settle(
  one: Case,
  version: Version,
  all: readonly Heard[],
  unmatched: Unmatched,
  counts: Counts,
): Settled {
  const heard = all.every(({ rule }) => counts(rule)) ? all : all.filter(({ rule }) => counts(rule));
  const first = { ...combine(heard, unmatched), heard, version };
  if (first.verdict === "deny" || !one.candidates.changes) return first;
  const changes = heard.flatMap(({ rule, matched }) => (matched === "true" ? rule.changes : []));
  if (changes.length === 0) return first;
  const changed = applyChanges(changes, version.args, version.variables);
  if ("failed" in changed) {
    return {
      ...first,
      verdict: "deny",
      by: changed.failed,
      because: "A change that a rule demands could not be made.",
    };
  }
  const next = versionOf(one, version, changed.args);
  if (next instanceof Refused) return { ...first, verdict: "deny", by: next.by, because: next.reason };
  return next === version ? first : judgedAgain(one, first, next, unmatched, counts);
}

/** The same version where the changes have changed nothing; a refusal where the result is no call of this tool. */
function versionOf({ candidates }: Case, version: Version, changed: JsonObject): Version | Refused {
  const { guard } = candidates;
  const args = guard === null ? changed : bound(guard, changed, version.variables);
  if (args instanceof Refused) return args;
  if (changedPaths(version.args, args).length === 0) return version;
  // Before the rules, so that they meet the types that they were compiled for; a denial either way.
  const refused = guard === null ? null : refusalOf(guard, args);
  if (refused !== null) return refused;
  const read = guard === null ? args : asRead(guard, args);
  return { args, read, variables: { ...version.variables, args: read } };
}

function judgedAgain(one: Case, first: Settled, version: Version, unmatched: Unmatched, counts: Counts): Settled {
  const again = hear(one, version).filter(({ rule }) => counts(rule));
  const heard = joined(first.heard, again);
  // An error counts in whichever round it happened.
  const voices = heard.map((voice): Heard => (voice.again === "error" ? { ...voice, matched: "error" } : voice));
  return { ...stricter<Standing>(combine(voices, unmatched), first), heard, version };
}

/** Every rule that spoke in either round, by id. */
function joined(before: readonly Heard[], after: readonly Heard[]): readonly Heard[] {
  const later = new Map(after.map((voice) => [voice.id, voice]));
  const known = new Set(before.map(({ id }) => id));
  const added = after.filter(({ id }) => !known.has(id)).map(({ rule }) => silent(rule));
  return [...before, ...added]
    .map((voice) => again(voice, later.get(voice.id) ?? silent(voice.rule)))
    .sort((a, b) => compareText(a.id, b.id));
}

/** A rule that did not match and said nothing. */
function silent(rule: CompiledRule): Heard {
  return { id: rule.id, rule, matched: "false", say: rule.says.false, error: null };
}

function again(before: Heard, after: Heard): Heard {
  const { rule, matched } = before;
  const say = sayAgain(rule, matched, before.say, after.say);
  const error = before.error ?? after.error;
  return after.matched === matched ? { ...before, say } : { ...before, say, error, again: after.matched };
}
