/**
 * The kill switch: rows that forbid, and the question that every call asks before it starts.
 *
 * An effectful call reads the rows in the transaction that claims it, so that no stop can come between. A read may rely on a
 * permit that its replica refreshed within the last second; one that could not be refreshed denies.
 */

import { type CallKind, isEffectful } from "../traits.ts";
import { type Actor, mayReset, mayStop } from "./person.ts";

/** Null: any. All three null: everything. */
export interface StopScope {
  readonly agent: string | null;
  readonly tool: string | null;
  readonly run: string | null;
}

export interface Stop {
  readonly id: string;
  readonly scope: StopScope;
  /** Position in the store's order of stops and lifts; grows by one. */
  readonly epoch: number;
  readonly reason: string;
  readonly by: string;
  readonly at: number;
  /** Those who want it lifted; it is lifted when `lifted` is set. */
  readonly lifts: readonly { readonly by: string; readonly reason: string; readonly at: number }[];
  readonly lifted: number | null;
}

/** How a caller knows the stops that it asks with. */
export type StopPermit =
  /** Read in the transaction that claims the call. */
  | { readonly kind: "transaction" }
  /** A replica's view, complete up to `refreshedAt`, ms of the store's clock. */
  | { readonly kind: "replica"; readonly refreshedAt: number };

export interface StoppableCall {
  readonly agent: string;
  readonly tool: string;
  readonly kind: CallKind;
  /** The call's run, then those that started it, up to the root. */
  readonly runs: readonly string[];
}

export type Start =
  | { readonly may: true }
  | { readonly may: false; readonly why: "stopped"; readonly stop: Stop }
  | { readonly may: false; readonly why: "stale-permit" };

/** How old a replica's view of the stops may be, and how often it is refreshed. */
export const PERMIT_MS = 1_000;
export const REFRESH_MS = 250;

/** Pure and total; anything doubtful may not start. */
export function mayStart(stops: readonly Stop[], permit: StopPermit, call: StoppableCall, now: number): Start {
  const stop = stops.find((one) => one.lifted === null && coversCall(one.scope, call));
  if (stop !== undefined) return { may: false, why: "stopped", stop };
  if (permit.kind === "transaction") return { may: true };
  const age = now - permit.refreshedAt;
  // A view from the future, or no number, is as doubtful as an old one.
  const fresh = age >= 0 && age <= PERMIT_MS;
  return fresh && !isEffectful(call.kind) ? { may: true } : { may: false, why: "stale-permit" };
}

export function coversCall(
  { agent, tool, run }: StopScope,
  call: Pick<StoppableCall, "agent" | "tool" | "runs">,
): boolean {
  return (
    (agent === null || agent === call.agent) &&
    (tool === null || tool === call.tool) &&
    (run === null || call.runs.includes(run))
  );
}

export type StopStep =
  | { readonly ok: true; readonly stop: Stop }
  | { readonly ok: false; readonly why: "not-allowed" | "no-reason" | "lifted" | "same-person" };

/** Any approver may. */
export function placeStop(
  of: { readonly id: string; readonly scope: StopScope; readonly epoch: number; readonly reason: string },
  by: Actor,
  now: number,
): StopStep {
  if (!mayStop(by)) return { ok: false, why: "not-allowed" };
  if (of.reason.trim() === "") return { ok: false, why: "no-reason" };
  return { ok: true, stop: { ...of, by: by.id, at: now, lifts: [], lifted: null } };
}

/** Only admins lift; lifting everything needs two of them. An agent or a service never can. */
export function liftStop(stop: Stop, by: Actor, reason: string, now: number): StopStep {
  if (stop.lifted !== null) return { ok: false, why: "lifted" };
  if (!mayReset(by)) return { ok: false, why: "not-allowed" };
  if (reason.trim() === "") return { ok: false, why: "no-reason" };
  if (stop.lifts.some((lift) => lift.by === by.id)) return { ok: false, why: "same-person" };
  const lifts = [...stop.lifts, { by: by.id, reason, at: now }];
  // Two names of one account would prove nothing.
  const needed = isEverything(stop.scope) && by.local !== true ? 2 : 1;
  return { ok: true, stop: { ...stop, lifts, lifted: lifts.length >= needed ? now : null } };
}

export function isEverything({ agent, tool, run }: StopScope): boolean {
  return agent === null && tool === null && run === null;
}

/** What a decision names: `stop:all`, `stop:agent+tool`. */
export function stopRule({ agent, tool, run }: StopScope): string {
  const of = [agent === null ? "" : "agent", tool === null ? "" : "tool", run === null ? "" : "run"].filter(Boolean);
  return `stop:${of.length === 0 ? "all" : of.join("+")}`;
}
