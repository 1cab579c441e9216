/**
 * What people do to the protections, from whichever surface: stop and lift, reset a breaker, raise a limit, say what became
 * of a call. Each is one transaction with its entry: who, why, when.
 */

import { resumeApprovals, suspendApprovals } from "../answer/suspend.ts";
import type { ApprovalRecord } from "../approval/approval.ts";
import { type AuditFault, audit } from "../breaker/budget/audit.ts";
import type { Pot } from "../breaker/budget/hold.ts";
import type { Breaker } from "../breaker/latch.ts";
import type { Actor } from "../breaker/person.ts";
import type { Motion } from "../breaker/protect/motion.ts";
import type { Objection } from "../breaker/protect/objection.ts";
import { decodeHold, decodePot, parseBreakerRowId, type StopBoard } from "../breaker/protect/rows.ts";
import { coversCall, type Stop, type StopScope } from "../breaker/stop.ts";
import { accounted } from "../gate/account.ts";
import { newId, part, protectionEntries } from "../gate/record.ts";
import { type CallRecord, type CallState, stepCall } from "../lifecycle.ts";
import type { EntryDraft, EntryType } from "../log/entry.ts";
import type { Clock, Random, RowWrite, Store } from "../ports.ts";

export interface OperatePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** Why an act did not happen, as the pure steps say it. */
export type OperateRefusal =
  | "not-allowed"
  | "no-reason"
  | "missing"
  | "same-person"
  | "lifted"
  | "not-stopped"
  | "not-unknown"
  | "too-many"
  | "busy";

export type Operated = { readonly ok: true } | { readonly ok: false; readonly why: OperateRefusal };

/** A stop that is in force when this resolves: no effectful call is claimed after it in the store's order. */
export async function stopCalls(
  ports: OperatePorts,
  of: { readonly scope: StopScope; readonly reason: string; readonly by: Actor },
): Promise<Operated & { readonly id?: string }> {
  const id = newId("stop", ports.random, ports.clock.now());
  const done = await operate(ports, { type: "stop", id, ...of }, { type: "stop.placed", shown: { id, ...of } });
  if (!done.ok) return done;
  // The claim would refuse them all the same: this says so to whoever is asked.
  const why = `stopped: ${of.reason}`;
  await suspendApprovals(ports, { which: (approval) => isStopped([of.scope], approval), why });
  return { ok: true, id };
}

/** Of everything a second person may be needed: `lifted` false says so. */
export async function liftStops(
  ports: OperatePorts,
  of: { readonly id: string; readonly reason: string; readonly by: Actor },
): Promise<Operated & { readonly lifted?: boolean }> {
  const done = await operate(ports, { type: "lift", ...of }, { type: "stop.lifted", shown: of });
  if (!done.ok) return done;
  const left = await stopsInForce(ports.store);
  const lifted = left.every((stop) => stop.id !== of.id);
  const scopes = left.map(({ scope }) => scope);
  const why = `a stop was lifted: ${of.reason}`;
  if (lifted) await resumeApprovals(ports, { which: (approval) => !isStopped(scopes, approval), why });
  return { ok: true, lifted };
}

/** Questions of sub-agents of a stopped run are left to the claim, which knows their root. */
function isStopped(scopes: readonly StopScope[], { agent, tool, run }: ApprovalRecord): boolean {
  return scopes.some((scope) => coversCall(scope, { agent, tool, runs: [run] }));
}

export async function resetBreaker(
  ports: OperatePorts,
  of: { readonly breaker: string; readonly reason: string; readonly by: Actor },
): Promise<Operated> {
  // The entry of the change itself names the breaker; this one names the person.
  return operate(ports, { type: "reset", ...of }, { type: "breaker.reset", shown: of });
}

/** `amount` in the smallest step of the pot's unit. */
export async function raiseBudget(
  ports: OperatePorts,
  of: { readonly pot: string; readonly amount: bigint; readonly reason: string; readonly by: Actor },
): Promise<Operated> {
  return operate(
    ports,
    { type: "raise", ...of },
    { type: "budget.raised", shown: { ...of, amount: String(of.amount) } },
  );
}

/**
 * A person has found out what became of a call whose outcome nobody knew: what it held is booked or given back, and the
 * call is final.
 */
export async function reconcileCall(
  ports: OperatePorts,
  of: { readonly call: CallRecord; readonly ran: boolean; readonly reason: string; readonly by: Actor },
): Promise<Operated> {
  const { call, ran, reason, by } = of;
  const step = stepCall(call, { type: "reconcile", ran, now: ports.clock.now() });
  if (!step.ok) return { ok: false, why: "not-unknown" };
  if (by.kind !== "person" || by.id.trim() === "") return { ok: false, why: "not-allowed" };
  if (reason.trim() === "") return { ok: false, why: "no-reason" };
  const motion: Motion = { type: "reconcile", callId: call.id, ran, by, reason };
  const entry = { type: "call.reconciled", shown: { ran, reason, by } } as const;
  const head = { run: call.run, call: call.id, outcome: ran ? "succeeded" : "failed" } as const;
  return operate(ports, motion, entry, head, [{ row: step.call, expect: call.version }]);
}

async function operate(
  { store, random }: OperatePorts,
  motion: Motion,
  { type, shown }: { readonly type: EntryType; readonly shown: unknown },
  head: Omit<EntryDraft, "type"> = {},
  calls: readonly RowWrite<CallRecord>[] = [],
): Promise<Operated> {
  let refused: string | null = null;
  const result = await accounted(
    (transaction) => store.commit(transaction),
    (objection: Objection | null) => {
      refused = objection?.refused ?? null;
      const entry: EntryDraft = { ...head, type, parts: [part("act", shown, random)] };
      const changed = objection === null ? [] : protectionEntries(head, objection, random);
      // A refused act is written down as well, and changes nothing: an attempt is worth knowing of.
      const entries = refused === null ? [entry, ...changed] : [{ ...entry, type: "operator.refused" as const }];
      return { entries, calls: refused === null ? calls : [], protection: { motions: [motion], accounted: "" } };
    },
  );
  if (!result.ok) return { ok: false, why: "busy" };
  return refused === null ? { ok: true } : { ok: false, why: refused as OperateRefusal };
}

export async function stopsInForce(store: Store): Promise<readonly Stop[]> {
  const row = await store.row("stops", "board");
  return row === undefined ? [] : (row.value as object as StopBoard).stops;
}

export interface BreakerInfo {
  readonly id: string;
  readonly scope: "tool" | "agent" | "run";
  readonly name: string;
  /** Absent for runs. */
  readonly environment?: string;
  readonly breaker: Breaker;
}

const PAGE = 500;

/** Breakers that are known, by id; at most `limit`. */
export async function breakersOf(store: Store, limit: number): Promise<readonly BreakerInfo[]> {
  const rows = await paged(store, "breaker", limit);
  return rows.flatMap(({ id, value }) => {
    const of = parseBreakerRowId(id);
    if (of === undefined) return [];
    const parts = JSON.parse(id) as readonly string[];
    const [environment] = parts.length === 3 ? parts.slice(1, 2) : [];
    return [{ id, ...of, ...(environment === undefined ? {} : { environment }), breaker: value as object as Breaker }];
  });
}

export interface PotInfo extends Pot {
  readonly environment: string;
  readonly key: readonly string[];
  /** The window that the pot is of, as text: `day Europe/Zurich 2026-11-22`. */
  readonly window: string;
}

export async function potsOf(store: Store, limit: number): Promise<readonly PotInfo[]> {
  const rows = await paged(store, "pot", limit);
  return rows.map(({ id, value }) => {
    const [, environment, , key, window] = JSON.parse(id) as [string, string, string, readonly string[], string];
    return { ...decodePot(value), environment, key, window };
  });
}

/** Holds of calls that are not over, by id. */
export async function openHolds(store: Store, limit: number) {
  const rows = await paged(store, "hold", limit);
  return rows.map(({ value }) => decodeHold(value)).filter(({ state }) => state === "held");
}

export interface Audited {
  readonly pots: number;
  readonly holds: number;
  readonly faults: readonly AuditFault[];
}

/** Recomputes every pot from the rows of its holds. Reads page by page: run it where nothing is under way. */
export async function auditStore(store: Store): Promise<Audited> {
  const pots = (await paged(store, "pot", Number.MAX_SAFE_INTEGER)).map(({ value }) => decodePot(value));
  const holds = (await paged(store, "hold", Number.MAX_SAFE_INTEGER)).map(({ value }) => decodeHold(value));
  const states = new Map<string, CallState>();
  for (const { call, state } of holds) {
    const known = await store.call(call);
    if (known !== undefined) states.set(call, known.state);
    // A model's call has no row of its own.
    else if (call.startsWith("model_")) states.set(call, state === "settled" ? "succeeded" : "executing");
  }
  const since = new Map<string, number>();
  for (const { id, sliding } of pots) if (sliding !== undefined) since.set(id, (sliding.slices[0]?.start ?? 0) - 1);
  return { pots: pots.length, holds: holds.length, faults: audit(pots, holds, states, since) };
}

async function paged(store: Store, kind: "breaker" | "pot" | "hold", limit: number) {
  const rows = [];
  for (let after: string | undefined; rows.length < limit; ) {
    const size = Math.min(PAGE, limit - rows.length);
    const page = await store.rows({ kind, limit: size, ...(after === undefined ? {} : { after }) });
    rows.push(...page);
    after = page.at(-1)?.id;
    if (page.length < size) break;
  }
  return rows;
}
