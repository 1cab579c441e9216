/**
 * What the gate wants of the protections, as data. A motion is judged inside the transaction that records it, on the rows as
 * they stand there: nothing can come between the check and the act (traps.md, 19).
 */

import type { Verdict } from "../../decision.ts";
import type { LoopSettings } from "../../detectors.ts";
import type { Outcome } from "../../lifecycle.ts";
import type { ToolTraits } from "../../traits.ts";
import type { HoldPart } from "../budget/hold.ts";
import type { CallKeys, Fingerprint } from "../loop/fingerprint.ts";
import type { Actor } from "../person.ts";
import type { StopScope } from "../stop.ts";

/** Whose call it is. All ids. */
export interface Caller {
  /** The root of the run's tree: sub-agents share its history and its pots. */
  readonly root: string;
  /** The call's run, then those that started it, up to the root. */
  readonly runs: readonly string[];
  /** 0 for the root run. */
  readonly depth: number;
  readonly agent: string;
  readonly environment: string;
  /** Empty where the agent acts for nobody. */
  readonly principal: string;
}

export interface CallMotion {
  readonly callId: string;
  readonly caller: Caller;
  readonly keys: CallKeys;
  readonly traits: ToolTraits;
  readonly settings: LoopSettings;
  readonly claims: readonly PotClaim[];
  /** The environment only observes: findings and shortages are reported and stop nothing. */
  readonly observe: boolean;
  /** The writer that will run it, for a probe's lease. */
  readonly owner: string;
  readonly leaseMs: number;
  /** Ms, the gate's clock: decides which pots the claims name. */
  readonly at: number;
  /** After this a hold of a call that never started counts for nothing. */
  readonly deadline: number;
}

/** What a call wants of one pot. */
export interface PotClaim {
  /** `potId`. */
  readonly pot: string;
  readonly budget: string;
  readonly unit: string;
  readonly limit: bigint;
  readonly over: "pause" | "deny";
  readonly amount: bigint;
  /** Only of sliding windows: their length. */
  readonly slidingMs: number | null;
}

export type Motion =
  /** A call after its rules were heard. */
  | (CallMotion & {
      readonly type: "propose";
      readonly verdict: Verdict;
      /** The rules of a denial. */
      readonly rules: readonly string[];
    })
  /** A call that a person approved, about to be claimed. */
  | (CallMotion & {
      readonly type: "claim";
      /** The findings that its approver saw. */
      readonly approved: readonly { readonly key: string; readonly count: number }[];
      /** The budgets whose shortage the approver saw: their limit is raised by what is missing. */
      readonly raised: readonly string[];
    })
  /** A call that will not run: denied by a person (`rules`: what it waited for), or nobody's any more (none). */
  | {
      readonly type: "release";
      readonly callId: string;
      readonly caller: Omit<Caller, "runs" | "depth">;
      readonly tool: string;
      /** Null: counted, and judged when the run does something next. */
      readonly settings: LoopSettings | null;
      readonly rules: readonly string[];
    }
  | {
      readonly type: "finish";
      readonly callId: string;
      readonly root: string;
      readonly agent: string;
      readonly environment: string;
      readonly tool: string;
      readonly outcome: Outcome;
      /** Null: its executor is gone, and what was proposed is all that is known. */
      readonly print: Fingerprint | null;
      /** What the call says about its tool's health; null: nothing. */
      readonly healthy: boolean | null;
      /** In [0, 1). */
      readonly jitter: number;
      /** What was really used; a pot that is not named books what was held. */
      readonly actual: readonly HoldPart[];
    }
  /** A sub-agent's run begins: its calls are calls of the root's run as well. */
  | { readonly type: "join"; readonly root: string; readonly run: string }
  /** A message from a person to the run. */
  | {
      readonly type: "person";
      readonly root: string;
      /** Of the run's row, where it has one. */
      readonly salt: string;
      /** Salted digest of the words. */
      readonly said: string;
    }
  /** A call of a model, before it is made. */
  | {
      readonly type: "reserve";
      readonly id: string;
      readonly caller: Caller;
      readonly settings: LoopSettings;
      readonly claims: readonly PotClaim[];
      /** Bound in millionths of a dollar; null: unknown. */
      readonly usdMicros: bigint | null;
      readonly observe: boolean;
      readonly at: number;
      readonly deadline: number;
    }
  /** A call of a model is over, once: a second time is refused as `ended`. `ran` false: it surely was not made. */
  | {
      readonly type: "settle";
      readonly id: string;
      readonly ran: boolean;
      /** What was really used; a pot that is not named books what was held. */
      readonly actual: readonly HoldPart[];
      /** Null: what was reserved. */
      readonly usdMicros: bigint | null;
      /** Pots in which it had no bound, so that more than was held is no alarm. */
      readonly unbounded: readonly string[];
    }
  /** A person has found out what became of an `unknown` call. */
  | {
      readonly type: "reconcile";
      readonly callId: string;
      readonly ran: boolean;
      readonly by: Actor;
      readonly reason: string;
    }
  | {
      readonly type: "stop";
      readonly id: string;
      readonly scope: StopScope;
      readonly reason: string;
      readonly by: Actor;
    }
  | { readonly type: "lift"; readonly id: string; readonly reason: string; readonly by: Actor }
  | { readonly type: "reset"; readonly breaker: string; readonly reason: string; readonly by: Actor }
  | {
      readonly type: "raise";
      readonly pot: string;
      readonly amount: bigint;
      readonly reason: string;
      readonly by: Actor;
    };

/** A part of a transaction: it is committed only when its entries account for exactly what the motions come to. */
export interface Protection {
  readonly motions: readonly Motion[];
  /** `objectionDigest` of what the entries account for; empty: of nothing. */
  readonly accounted: string;
}
