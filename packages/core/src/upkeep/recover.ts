/**
 * What a start has to repair: calls whose executor is gone, and approvals whose time is over.
 *
 * Nothing is run here. A call that was executing becomes `unknown`, because its tool may have acted (calls.md, States).
 */
import { stepApproval } from "../approval/approval.ts";
import type { Motion } from "../breaker/protect/motion.ts";
import { releaseMotion } from "../gate/call-protection.ts";
import { type CallRecord, stepCall } from "../lifecycle.ts";
import type { Clock, Store } from "../ports.ts";

export interface Recovered {
  /** Calls of which nobody knows whether their tool acted; a person reconciles them. */
  readonly unknown: readonly string[];
  /** Calls whose approval was not given or used in time. */
  readonly expired: readonly string[];
}

const BATCH = 1_000;

/** @throws SafeRunError when the store cannot record it. */
export async function recover(store: Store, clock: Clock): Promise<Recovered> {
  const dead = new Set(await store.deadWriters());
  const unknown: string[] = [];
  const expired: string[] = [];
  for (const call of await store.callsIn(["executing"], BATCH)) {
    const over = call.leaseUntil !== null && clock.now() >= call.leaseUntil;
    if ((over || (call.owner !== null && dead.has(call.owner))) && (await lose(store, clock, call)))
      unknown.push(call.id);
  }
  for (const call of await store.callsIn(["pending", "approved"], BATCH)) {
    if (await expireCall(store, clock, call)) expired.push(call.id);
  }
  return { unknown, expired };
}

async function lose(store: Store, clock: Clock, call: CallRecord): Promise<boolean> {
  const step = stepCall(call, { type: "lose", now: clock.now() });
  if (!step.ok) return false;
  const entry = { type: "call.lost", run: call.run, call: call.id, outcome: "unknown" } as const;
  const { id: callId, root, agent, environment, tool } = call;
  const lost = { callId, root, agent, environment, tool, outcome: "unknown", print: null } as const;
  const motion: Motion = { ...lost, type: "finish", healthy: null, jitter: 0, actual: [] };
  const result = await store.commit({
    calls: [{ row: step.call, expect: call.version }],
    entries: [entry],
    protection: { motions: [motion], accounted: "" },
  });
  return result.ok;
}

/** Ends a wait whose time is over, under compare-and-set: whoever waits, waited or looks may do it. False: it is not over. */
export async function expireCall(store: Store, clock: Clock, call: CallRecord): Promise<boolean> {
  const approval = call.approval === null ? undefined : await store.approval(call.approval);
  if (approval === undefined) return false;
  const now = clock.now();
  const ended = stepApproval(approval, { type: "expire", now });
  const step = stepCall(call, { type: "expire", now });
  if (!ended.ok || !step.ok) return false;
  const entry = { type: "approval.expired", run: call.run, call: call.id, approval: approval.id } as const;
  const result = await store.commit({
    calls: [{ row: step.call, expect: call.version }],
    approvals: [{ row: ended.approval, expect: approval.version }],
    entries: [entry],
    protection: { motions: [releaseMotion(call, [])], accounted: "" },
  });
  return result.ok;
}
