/**
 * Suspends questions and asks them again: after a stop, and when the clock has jumped. While a question is suspended
 * nobody can approve it; its deadline stands, and what was said before counts no more (breakers.md, stop).
 */
import { type ApprovalRecord, stepApproval } from "../approval/approval.ts";
import { part } from "../gate/record.ts";
import { type CallRecord, stepCall } from "../lifecycle.ts";
import type { EntryDraft } from "../log/entry.ts";
import type { Clock, Random, RowWrite, Store } from "../ports.ts";
import { eachCall } from "../upkeep/recover.ts";

export interface SuspensionPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Suspension {
  /** Absent: all that wait. */
  readonly which?: (approval: ApprovalRecord) => boolean;
  /** For people and the record, one line. */
  readonly why: string;
}

const TRIES = 5;

/**
 * Ids of the approvals that are suspended by it: those that waited, and those that were approved and not yet used.
 * @throws SafeRunError when the store cannot record it; those before are suspended.
 */
export function suspendApprovals(ports: SuspensionPorts, suspension: Suspension): Promise<string[]> {
  return change(ports, suspension, "suspend");
}

/** Ids of the approvals that are asked again by it. One whose deadline has passed is left to expire. */
export function resumeApprovals(ports: SuspensionPorts, suspension: Suspension): Promise<string[]> {
  return change(ports, suspension, "resume");
}

async function change(ports: SuspensionPorts, suspension: Suspension, type: "suspend" | "resume"): Promise<string[]> {
  const changed: string[] = [];
  // Nothing runs by a row that cannot be read; whoever sweeps tells of it.
  await eachCall(ports.store, ["pending", "approved"], async ({ id }) => {
    const approval = await changeOne(ports, id, suspension, type);
    if (approval !== undefined) changed.push(approval);
    return approval !== undefined;
  });
  return changed;
}

/** The approval's id; undefined where there is nothing to change, or somebody else was first each time. */
async function changeOne(
  { store, clock, random }: SuspensionPorts,
  callId: string,
  { which = () => true, why }: Suspension,
  type: "suspend" | "resume",
): Promise<string | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const call = await store.call(callId);
    const approval = call?.approval ? await store.approval(call.approval) : undefined;
    if (call === undefined || approval === undefined || !which(approval)) return undefined;
    const now = clock.now();
    const next = stepApproval(approval, { type, now });
    if (!next.ok) return undefined;
    const entry: EntryDraft = {
      type: type === "suspend" ? "approval.suspended" : "approval.resumed",
      run: call.run,
      call: call.id,
      approval: approval.id,
      parts: [part("why", why, random)],
    };
    const calls = call.state === "approved" ? waitingAgain(call, approval, now) : [];
    const approvals = [{ row: next.approval, expect: approval.version }];
    if ((await store.commit({ calls, approvals, entries: [entry] })).ok) return approval.id;
  }
  return undefined;
}

/** An approved call waits again, for what was asked. */
function waitingAgain(call: CallRecord, { id, digest, bytes }: ApprovalRecord, now: number): RowWrite<CallRecord>[] {
  const step = stepCall(call, { type: "ask", approval: id, revision: call.revision, digest, bytes, now });
  return step.ok ? [{ row: step.call, expect: call.version }] : [];
}
