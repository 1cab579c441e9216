/** What the protections have to say about a transaction, and how severe it is. */
import type { Verdict } from "../../decision.ts";
import { canonicalJson } from "../../value/json.ts";
import type { Mark, Shortage } from "../budget/hold.ts";
import type { BreakerRefusal, Trip } from "../latch.ts";
import { type Finding, severest } from "../loop/finding.ts";
import type { Stop } from "../stop.ts";

export type BreakerScope = "tool" | "agent" | "run";

/** A breaker that lets no call start. */
export interface Refusal {
  readonly breaker: string;
  readonly scope: BreakerScope;
  readonly name: string;
  readonly why: Extract<BreakerRefusal, "stopped" | "open" | "probing">;
  readonly trip: Trip | null;
}

/** A breaker that goes from one state to another with this transaction. */
export interface BreakerChange {
  readonly breaker: string;
  readonly scope: BreakerScope;
  readonly name: string;
  readonly to: "stopped" | "open" | "half_open" | "closed";
  readonly trip: Trip | null;
}

export interface Objection {
  readonly stop: Stop | null;
  readonly refusals: readonly Refusal[];
  /** Of run and agent; observed ones too. */
  readonly findings: readonly Finding[];
  readonly shortages: readonly Shortage[];
  readonly marks: readonly Mark[];
  readonly changes: readonly BreakerChange[];
  /** Pots that a call took more from than it held. */
  readonly exceeded: readonly string[];
  /** An act of an operator that is not allowed, or has nothing to act on; a call of a model that is `ended` already. */
  readonly refused: string | null;
}

export const NO_OBJECTION: Objection = Object.freeze({
  stop: null,
  refusals: [],
  findings: [],
  shortages: [],
  marks: [],
  changes: [],
  exceeded: [],
  refused: null,
});

/** What the entries of a transaction must account for: empty where there is nothing. Counts and times are no part of it. */
export function objectionDigest(of: Objection): string {
  const { stop, refusals, findings, shortages, marks, changes, exceeded, refused } = of;
  const said = [
    stop === null ? [] : [stop.id],
    refusals.map(({ breaker, why }) => [breaker, why]),
    findings.map(({ detector, key, reaction, mode }) => [detector, key, reaction, mode]),
    shortages.map(({ pot, over, observed = false }) => [pot, over, observed]),
    marks.map(({ pot, percent }) => [pot, percent]),
    changes.map(({ breaker, to }) => [breaker, to]),
    exceeded,
    refused === null ? [] : [refused],
  ];
  return said.every((part) => part.length === 0) ? "" : canonicalJson(said);
}

/** What becomes of a call about which this is said; `allow` where the rules alone decide. */
export function objectionVerdict({ stop, refusals, findings, shortages, refused }: Objection): Verdict {
  if (stop !== null || refusals.length > 0 || refused !== null) return "deny";
  const reaction = severest(findings);
  const short = shortages.filter(({ observed }) => observed !== true);
  const hard = reaction === "deny" || reaction === "trip_run" || reaction === "trip_agent";
  if (hard || short.some(({ over }) => over === "deny")) return "deny";
  return reaction === "pause" || short.length > 0 ? "pause" : "allow";
}
