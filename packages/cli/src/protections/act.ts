/** What the commands that act on the protections share: who acts, and what a refusal means. */
import type { Actor, OperatePorts, OperateRefusal, Store } from "@saferun/core";
import { nodeClock, nodeRandom } from "@saferun/store";
import { CommandError, EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";

/** The account that runs the command owns the store, and could as well delete it: it may do everything here. */
export function localActor(io: Io): Actor {
  return { id: `local:${io.user}`, kind: "person", roles: ["admin"], local: true };
}

export function operating(store: Store): OperatePorts {
  return { store, clock: nodeClock, random: nodeRandom };
}

export function requireReason(reason: string | undefined): string {
  if (reason === undefined || reason.trim() === "") throw usage('say why: `--reason "…"`, which stands in the record');
  return reason;
}

const REFUSALS: Readonly<Record<OperateRefusal, string>> = {
  "not-allowed": "this account may not do that",
  "no-reason": "a reason is needed",
  missing: "there is nothing of this id; it may have been lifted or reset meanwhile",
  "same-person": "the same person cannot agree twice",
  lifted: "it is lifted already",
  "not-stopped": "this breaker is not stopped; one that is open closes by itself when a probe succeeds",
  "not-unknown": "only a call whose outcome is `unknown` can be reconciled",
  "too-many": "too many stops are in force: stop everything instead",
  busy: "others wrote at the same moment, each time: try again",
};

/** @param message More than the refusal's own words, where more is known. */
export function refusedAct(why: OperateRefusal, message: string = REFUSALS[why]): CommandError {
  return new CommandError(EXIT.found as ExitCode, why, message);
}
