/**
 * One outgoing message as a row: written with what it tells of, sent at least once, kept with the vendor's id for later
 * edits. Pure; a dispatcher moves rows through it, each step under compare-and-set on `revision`.
 */
import { unreachable } from "../errors.ts";
import { nextAttempt } from "./schedule.ts";

/** What the message says of the approval: it is asked, it reads differently now, it is over. An `alarm` is of none. */
export type OutboxKind = "asked" | "changed" | "closed" | "alarm";

/** What a vendor's failure means. */
export interface SendFailure {
  /** False: the same message would be refused again. */
  readonly retry: boolean;
  /** How long the vendor wants to be left alone. */
  readonly afterMs?: number;
  /** For the operator, one line. */
  readonly message: string;
}

/** A trip or a budget's end as people read it. Never arguments. */
export interface AlarmText {
  readonly run: string;
  readonly agent: string;
  readonly environment: string;
  /** Not empty. */
  readonly lines: readonly string[];
}

export type OutboxState =
  | { readonly name: "queued"; readonly dueAt: number }
  /** Somebody is sending it; when the lease is over without a word, anybody may. */
  | { readonly name: "sending"; readonly owner: string; readonly until: number }
  /** `reads`: how the question that stands there reads, as long as it has to be followed. */
  | { readonly name: "sent"; readonly at: number; readonly message: string; readonly reads?: string }
  | { readonly name: "failed"; readonly retryAt: number; readonly reason: string }
  /** Not sent, and not tried again: refused for good, too late, or no longer wanted. */
  | { readonly name: "dead"; readonly at: number; readonly reason: string };

export interface OutboxRow {
  /** One for each approval, channel, kind and version: what is queued twice is one row. */
  readonly id: string;
  /** Compare-and-set. */
  readonly revision: number;
  readonly approval: string;
  /** Of an alarm, whose own id stands as `approval`. */
  readonly alarm?: AlarmText;
  /** A route's target: `slack:#fin`. */
  readonly channel: string;
  readonly kind: OutboxKind;
  /** The approval's version that it tells of. */
  readonly version: number;
  /** Nobody needs it after that, ms. */
  readonly giveUpAt: number;
  /** How often sending was begun. */
  readonly attempts: number;
  readonly state: OutboxState;
}

export type OutboxEvent =
  | { readonly type: "lease"; readonly owner: string; readonly leaseMs: number }
  | { readonly type: "sent"; readonly owner: string; readonly message: string; readonly reads?: string }
  /** Its question reads differently, and a row that says so is written with this one; without `reads` it is over. */
  | { readonly type: "follow"; readonly reads?: string }
  | { readonly type: "failed"; readonly owner: string; readonly failure: SendFailure }
  | { readonly type: "cancel"; readonly reason: string };

export type OutboxStep =
  | { readonly ok: true; readonly row: OutboxRow }
  | { readonly ok: false; readonly reason: "not-due" | "not-owner" | "over" };

/** A new row, not yet stored: its id is the same however often it is made. */
export function queued(
  about: Pick<OutboxRow, "approval" | "alarm" | "channel" | "kind" | "version" | "giveUpAt">,
  now: number,
): OutboxRow {
  const { approval, channel, kind, version } = about;
  const id = `${approval} ${kind} ${version} ${channel}`;
  return Object.freeze({ ...about, id, revision: 1, attempts: 0, state: { name: "queued", dueAt: now } as const });
}

/** When it is next worth a look, ms; undefined for one that is over. */
export function dueAt({ state }: OutboxRow): number | undefined {
  switch (state.name) {
    case "queued":
      return state.dueAt;
    case "failed":
      return state.retryAt;
    case "sending":
      return state.until;
    case "sent":
      return state.reads === undefined ? undefined : state.at;
    case "dead":
      return undefined;
    default:
      return unreachable(state);
  }
}

/** Total: the next row, or why this event has no effect on this state. */
export function stepOutbox(row: OutboxRow, event: OutboxEvent, now: number): OutboxStep {
  const due = dueAt(row);
  if (due === undefined) return { ok: false, reason: "over" };
  if (row.state.name === "sent") {
    if (event.type !== "follow") return { ok: false, reason: "over" };
    const { at, message } = row.state;
    return next(row, { name: "sent", at, message, ...reading(event) });
  }
  switch (event.type) {
    case "follow":
      return { ok: false, reason: "not-due" };
    case "lease":
      if (now < due) return { ok: false, reason: "not-due" };
      if (now >= row.giveUpAt) return next(row, { name: "dead", at: now, reason: lastReason(row) });
      return next(row, { name: "sending", owner: event.owner, until: now + event.leaseMs }, row.attempts + 1);
    case "sent":
      if (!isOwner(row, event.owner)) return { ok: false, reason: "not-owner" };
      return next(row, { name: "sent", at: now, message: event.message, ...reading(event) });
    case "failed":
      if (!isOwner(row, event.owner)) return { ok: false, reason: "not-owner" };
      return next(row, afterFailure(row, event.failure, now));
    case "cancel":
      return next(row, { name: "dead", at: now, reason: event.reason });
    default:
      return unreachable(event);
  }
}

function afterFailure(row: OutboxRow, { retry, afterMs = 0, message }: SendFailure, now: number): OutboxState {
  const retryAt = nextAttempt(row.attempts, now, now + afterMs);
  if (!retry || retryAt >= row.giveUpAt) return { name: "dead", at: now, reason: message };
  return { name: "failed", retryAt, reason: message };
}

function reading({ reads }: { readonly reads?: string }): { readonly reads?: string } {
  return reads === undefined ? {} : { reads };
}

function lastReason({ state }: OutboxRow): string {
  return state.name === "failed" ? state.reason : "it was not sent in time";
}

/** A lease that ran out and that nobody else took is still its owner's: what was sent is known then. */
function isOwner({ state }: OutboxRow, owner: string): boolean {
  return state.name === "sending" && state.owner === owner;
}

function next(row: OutboxRow, state: OutboxState, attempts = row.attempts): OutboxStep {
  return { ok: true, row: Object.freeze({ ...row, revision: row.revision + 1, attempts, state }) };
}
