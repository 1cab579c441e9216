/**
 * What the policies would say of an approver's edit, told while the approver is still there. It decides nothing: the gate
 * that waits judges the edited call again before it runs, with its own policies.
 */
import {
  type ApprovalRecord,
  callEntryOf,
  type DecisionPorts,
  type EvaluationContext,
  foreseenDenial,
  type PastCalls,
  type PolicySet,
  readHistory,
  type Store,
} from "@saferun/core";
import { CommandError } from "../exit.ts";
import type { Io } from "../io.ts";
import { loadWrittenPolicies } from "../policy-files.ts";
import { recordedDecisions } from "../recorded/decisions.ts";
import { runEntries } from "../runs/entries.ts";

/** What `decideApproval` asks of an edit: the policies of this directory, on what was recorded when the call was paused. */
export function foreseeing(io: Io, { store, clock }: Pick<DecisionPorts, "store" | "clock">): Foresee {
  return async (approval, edited) => {
    const policies = await policiesOfCall(io, store, approval);
    const context = policies === undefined ? undefined : await recordedContext(store, approval);
    if (policies === undefined || context === undefined) return undefined;
    const history = policies.readsHistory(approval.tool) ? await historyOf(store, approval) : undefined;
    return foreseenDenial(policies.evaluate(edited, { ...context, now: clock.now() }, history));
  };
}

type Foresee = NonNullable<DecisionPorts["foresee"]>;

/** Those of this directory, where they are the ones that the call was judged by; others say nothing about it. */
async function policiesOfCall(io: Io, store: Store, approval: ApprovalRecord): Promise<PolicySet | undefined> {
  try {
    const policies = await loadWrittenPolicies(io);
    return (await store.call(approval.call))?.revision === policies?.revision ? policies : undefined;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

async function historyOf(store: Store, { call, run }: ApprovalRecord): Promise<PastCalls> {
  const root = (await store.call(call))?.root ?? run;
  return (await readHistory(store, root, call)).history;
}

async function recordedContext(store: Store, approval: ApprovalRecord): Promise<EvaluationContext | undefined> {
  const take = recordedDecisions();
  for (const entry of await runEntries(store, approval.run)) {
    const decision = take(callEntryOf(entry));
    if (decision?.id === approval.call) return "missing" in decision.input ? undefined : decision.input.context;
  }
  return undefined;
}
