/**
 * Voices of rules → one verdict: deny > pause > allow, whatever the order.
 *
 * Pure, and the only place in the policy engine that says `allow`.
 */
import type { Verdict } from "../decision.ts";
import { unreachable } from "../errors.ts";

export type Matched = "true" | "false" | "error";

/** What a rule says in a case: its verdict, or nothing; and whether that permits the call (for an allow, or for a person). */
export interface Say {
  readonly verdict: Verdict | null;
  readonly permits: boolean;
}

export interface RuleEffect {
  readonly verdict: Verdict;
  readonly otherwise: "pause" | "deny" | null;
  /** A matching allow asks a person. */
  readonly asks: boolean;
}

const NOTHING: Say = { verdict: null, permits: false };
const DENIES: Say = { verdict: "deny", permits: false };
const ASKS: Say = { verdict: "pause", permits: true };
/** An erring pause rule: it turns an allow into a pause, never a denial into one. */
const RESTRICTS: Say = { verdict: "pause", permits: false };
const PERMITS: Say = { verdict: "allow", permits: true };

/** An error makes deny and pause rules match and allow rules not match. */
export function sayOf(rule: RuleEffect, matched: Matched): Say {
  switch (rule.verdict) {
    case "deny":
      return matched === "false" ? NOTHING : DENIES;
    case "pause":
      if (matched === "error") return RESTRICTS;
      return matched === "true" ? ASKS : NOTHING;
    case "allow":
      if (matched === "true") return rule.asks ? ASKS : PERMITS;
      if (rule.otherwise === null) return NOTHING;
      return rule.otherwise === "deny" ? DENIES : ASKS;
    default:
      return unreachable(rule.verdict);
  }
}

const STRICTNESS = { allow: 0, pause: 1, deny: 2 } as const;

/** Of two the stricter one, the first where they are equal. */
export function stricter<One extends { readonly verdict: Verdict }>(first: One, second: One): One {
  return STRICTNESS[second.verdict] > STRICTNESS[first.verdict] ? second : first;
}

/**
 * What a rule says that was asked before and after a change of the arguments. Whatever it said before stands; on the result
 * it can only get stricter, and a permission has to hold both times. A rule that asks a person permits by that person, who
 * sees the result.
 */
export function sayAgain(rule: Pick<RuleEffect, "verdict">, matched: Matched, before: Say, after: Say): Say {
  switch (rule.verdict) {
    case "deny":
      return before.verdict === null ? after : before;
    case "pause":
      return { verdict: before.verdict ?? after.verdict, permits: before.permits || after.permits };
    case "allow":
      // Only an allow that matched is asked again: one that begins to match on the result permits nothing.
      if (matched !== "true") return before;
      return { verdict: verdictAgain(before, after), permits: before.permits && after.permits };
    default:
      return unreachable(rule.verdict);
  }
}

/** An allow that matched said `allow`, or asked. */
function verdictAgain(before: Say, after: Say): Verdict | null {
  if (after.verdict === "deny" || before.verdict === null) return after.verdict;
  return before.verdict === "pause" ? "pause" : after.verdict;
}

export interface Voice {
  readonly id: string;
  readonly matched: Matched;
  readonly say: Say;
}

/** What the environment says of a call that no rule permits. */
export interface Unmatched {
  readonly id: string;
  readonly allows: boolean;
}

export interface Standing {
  readonly verdict: Verdict;
  readonly by: readonly string[];
}

/** Total. `by` follows the order of `voices`, which callers keep sorted by id. */
export function combine(voices: readonly Voice[], unmatched: Unmatched): Standing {
  let denied = false;
  let paused = false;
  let permitted = false;
  let erred = false;
  for (const { say, matched } of voices) {
    if (say.verdict === "deny") denied = true;
    if (say.verdict === "pause") paused = true;
    if (say.permits) permitted = true;
    if (matched === "error") erred = true;
  }
  const verdict = verdictOf(denied, permitted || (unmatched.allows && !erred), paused);
  const by: string[] = [];
  for (const { id, say } of voices) {
    if (say.verdict === verdict) by.push(id);
  }
  return { verdict, by: by.length > 0 ? by : [unmatched.id] };
}

function verdictOf(denied: boolean, permitted: boolean, paused: boolean): Verdict {
  if (denied || !permitted) return "deny";
  if (paused) return "pause";
  return "allow";
}
