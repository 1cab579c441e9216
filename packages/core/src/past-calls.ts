/**
 * What a run has done before a call is judged: the calls of the whole tree of runs, as the log has them. It is no part of
 * `EvaluationContext`, because it is recorded already: the entries before the decision are the history it was made from.
 */
import type { Verdict } from "./decision.ts";
import type { Outcome } from "./lifecycle.ts";
import type { JsonObject } from "./value/json.ts";

export interface PastCall {
  readonly id: string;
  /** As the agent named it. */
  readonly tool: string;
  /** As they ran, or would have; null where the log does not hold them any more. */
  readonly args: JsonObject | null;
  /** JSON pointers to what the log masks in `args`. */
  readonly masked: readonly string[];
  /** Store time of the proposal, ms. */
  readonly at: number;
  /** The model turn in which it was proposed. */
  readonly turn: number;
  /** `allow` once it was claimed, `pause` while it waits, `deny` where rules, a person or silence refused it. */
  readonly verdict: Verdict;
  /** `unknown` also while it runs; `none` where no tool was contacted. */
  readonly outcome: Outcome | "none";
}

/** Oldest first; or why it cannot be told, in words. */
export type PastCalls = { readonly calls: readonly PastCall[] } | { readonly unreadable: string };

/** A run that has done nothing yet. */
export const NO_CALLS: PastCalls = Object.freeze({ calls: Object.freeze([]) });
