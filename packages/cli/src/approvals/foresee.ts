/**
 * What the policies would say of an approver's edit, told while the approver is still there. It decides nothing: the gate
 * that waits judges the edited call again before it runs, with its own policies.
 */
import {
  type ApprovalRecord,
  callEntryOf,
  changedPaths,
  covers,
  type DecisionAnswer,
  type DecisionPorts,
  type DecisionRequest,
  decideApproval,
  type EvaluationContext,
  normalizeUnbound,
  type PastCalls,
  type PolicySet,
  readHistory,
  type Store,
} from "@saferun/core";
import { CommandError } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { loadWrittenPolicies } from "../policy-files.ts";
import { recordedDecisions } from "../recorded/decisions.ts";
import { runEntries } from "../runs/steps.ts";
import { parsed } from "../wire.ts";

/** The answer of `decideApproval`, or that the policies of this directory would not let the edited call run. */
export async function decideForeseeing(
  io: Io,
  ports: DecisionPorts,
  request: DecisionRequest,
): Promise<DecisionAnswer> {
  const approval = request.args === undefined ? undefined : await ports.store.approval(request.approval);
  const message = approval === undefined ? undefined : await foreseen(io, ports, approval, request);
  if (approval === undefined || message === undefined) return decideApproval(ports, request);
  return { status: "refused", reason: "not-allowed", message, approval };
}

/** The same question without an answer: what speaks against these arguments; undefined where nothing does. */
export async function foreseeEdit(
  io: Io,
  ports: DecisionPorts,
  approval: string,
  args: unknown,
): Promise<string | undefined> {
  const found = await ports.store.approval(approval);
  const by = { id: "local", via: "dashboard", verified: false } as const;
  return found && foreseen(io, ports, found, { approval, verdict: "approve", by, args });
}

/** Undefined: nothing speaks against it, or nothing is known. */
async function foreseen(
  io: Io,
  { store, clock }: DecisionPorts,
  approval: ApprovalRecord,
  { verdict, version, args }: DecisionRequest,
): Promise<string | undefined> {
  const now = clock.now();
  // Whatever else is wrong with the answer is for `decideApproval` to say.
  const open =
    approval.state === "pending" && now < approval.deadline && (version ?? approval.version) === approval.version;
  if (verdict !== "approve" || !open) return undefined;
  const { tool, agent, environment } = approval;
  const edited = normalizeUnbound({ tool, agent, environment, args });
  if (!edited.ok) return undefined;
  const changed = changedPaths(parsed(approval.bytes), edited.call.args);
  if (changed.some((path) => !approval.editable.some((allowed) => covers(allowed, path)))) return undefined;
  const policies = await policiesOfCall(io, store, approval);
  const context = policies === undefined ? undefined : await recordedContext(store, approval);
  if (policies === undefined || context === undefined) return undefined;
  const history = policies.readsHistory(tool) ? await historyOf(store, approval) : undefined;
  const decision = policies.evaluate(edited.call, { ...context, now }, history);
  const by = decision.by.map(printable).join(", ");
  if (decision.verdict === "deny") {
    const fix = decision.fix === undefined ? "" : ` ${printable(decision.fix)}`;
    return `the policies deny the edited call, by ${by}: ${printable(decision.reason)}${fix}`;
  }
  const seen = new Set(approval.reasons.map(({ id, digest }) => `${id} ${digest}`));
  const more = decision.pauses.filter(({ id, digest }) => !seen.has(`${id} ${digest}`));
  if (more.length === 0) return undefined;
  const reasons = more.map(({ id, reason }) => `${printable(id)}: ${printable(reason)}`).join("; ");
  return `the edited call needs an approval that this one is not, by ${reasons}`;
}

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
