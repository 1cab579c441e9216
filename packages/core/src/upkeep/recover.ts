/**
 * What has to be repaired at a start, and while others die: calls whose executor is gone, and approvals whose time is over.
 *
 * Nothing is run here. A call that was executing becomes `unknown`, because its tool may have acted (calls.md, States).
 */
import { stepApproval } from "../approval/approval.ts";
import type { Motion } from "../breaker/protect/motion.ts";
import { SafeRunError } from "../errors.ts";
import { releaseMotion } from "../gate/call-protection.ts";
import { type CallRecord, stepCall } from "../lifecycle.ts";
import type { Clock, Store } from "../ports.ts";

export interface Recovered {
  /** Calls of which nobody knows whether their tool acted; a person reconciles them. */
  readonly unknown: readonly string[];
  /** Calls whose approval was not given or used in time. */
  readonly expired: readonly string[];
  /** Calls whose rows cannot be read or changed: they stay as they are, and nothing runs by them. */
  readonly broken: readonly Broken[];
}

export interface Broken {
  readonly call: string;
  readonly why: string;
}

/** What a person has to look at, one line for each call. */
export function toLookAt({ unknown, broken }: Pick<Recovered, "unknown" | "broken">): readonly string[] {
  return [
    ...unknown.map(
      (call) =>
        `call \`${call}\` was cut off: nobody knows whether its tool acted (\`saferun budgets reconcile ${call}\`)`,
    ),
    ...broken.map(({ call, why }) => `call \`${call}\` waits on damaged rows (\`saferun log verify\`): ${why}`),
  ];
}

/** Looked at in one step; the oldest come first. */
const MOST = 10_000;

/** @throws SafeRunError when the store cannot be asked or cannot record it. */
export async function recover(store: Store, clock: Clock): Promise<Recovered> {
  const lost = await loseCalls(store, clock);
  const waited = await eachCall(store, ["pending", "approved"], (call) => expireCall(store, clock, call));
  return { unknown: lost.done, expired: waited.done, broken: [...lost.broken, ...waited.broken] };
}

/**
 * Calls whose lease is over, or whose writer is known to be dead. `alive` is the writer that asks: it knows what it runs.
 * Another that is alive after all may still say how its call ended, with the same fence.
 */
export async function loseCalls(store: Store, clock: Clock, alive?: string): Promise<Eached> {
  let dead: ReadonlySet<string> | undefined;
  return eachCall(store, ["executing"], async (call) => {
    if (call.owner === alive) return false;
    dead ??= new Set(await store.deadWriters());
    const over = call.leaseUntil !== null && clock.now() >= call.leaseUntil;
    const gone = call.owner !== null && dead.has(call.owner);
    return (over || gone) && (await lose(store, clock, call));
  });
}

export interface Eached {
  /** Ids of the calls for which the step said that it did something. */
  readonly done: readonly string[];
  readonly broken: readonly Broken[];
}

/**
 * One call after the other: rows that cannot be read or changed hold up no other.
 * @throws SafeRunError when it is the store that fails.
 */
export async function eachCall(
  store: Store,
  states: readonly CallRecord["state"][],
  step: (call: CallRecord) => Promise<boolean>,
): Promise<Eached> {
  const done: string[] = [];
  const broken: Broken[] = [];
  for (const { id } of await store.callsIn(states, MOST)) {
    try {
      const call = await store.call(id);
      if (call !== undefined && (await step(call))) done.push(id);
    } catch (error) {
      if (error instanceof SafeRunError && OF_STORE.has(error.code)) throw error;
      // A store that cannot even say how long its log is has failed itself.
      await store.head();
      broken.push({ call: id, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { done, broken };
}

const OF_STORE: ReadonlySet<string> = new Set([
  "record.busy",
  "record.full",
  "record.newer",
  "record.quota",
  "record.restored",
  "record.untrusted",
]);

/** Whoever it was that ran it: nobody knows any more what its tool did. False: it is not executing. */
export async function lose(store: Store, clock: Clock, call: CallRecord): Promise<boolean> {
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

/**
 * Ends a wait whose time is over, under compare-and-set: whoever waits, waited or looks may do it. False: it is not over at
 * `asOf`, which is now unless its time was cut short.
 */
export async function expireCall(store: Store, clock: Clock, call: CallRecord, asOf = clock.now()): Promise<boolean> {
  const approval = call.approval === null ? undefined : await store.approval(call.approval);
  if (approval === undefined) return false;
  const ended = stepApproval(approval, { type: "expire", now: asOf });
  const step = stepCall(call, { type: "expire", now: clock.now() });
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
