/**
 * The state of one breaker (of a tool, an agent, a run, or everything) as a pure machine.
 *
 * Two kinds of protection share it. Health opens and closes by itself: evidence about the tool opens it, one probe closes it.
 * Spend, loops, denials and operators stop it: that state has no way out but a named person with the role and a reason.
 * Each state holds only its own data, so that an open breaker with two probes or a stopped one with a timer cannot be written.
 */
import { unreachable } from "../errors.ts";
import { addEvidence, type Evidence, HEALTH, isIll, NO_EVIDENCE, openMs } from "./health.ts";
import { type Actor, mayReset } from "./person.ts";

export type TripCause = "spend" | "loop" | "denials" | "operator";

export interface Trip {
  readonly cause: TripCause;
  /** For people: what was found. */
  readonly reason: string;
  /** The finding's rule, or the person who stopped it. */
  readonly by: string;
  /** Ms since 1970, the store's clock. */
  readonly at: number;
}

/** The one call that finds out whether the tool works. After `leaseUntil` its owner counts as lost. */
export interface Probe {
  readonly callId: string;
  /** The writer that runs it. */
  readonly owner: string;
  readonly leaseUntil: number;
}

export type Breaker =
  | { readonly state: "closed"; readonly evidence: Evidence }
  /** `opened`: how often in a row, so that each wait is longer. */
  | { readonly state: "open"; readonly opened: number; readonly until: number }
  | { readonly state: "half_open"; readonly opened: number; readonly probe: Probe }
  | { readonly state: "stopped"; readonly trip: Trip };

export type BreakerEvent =
  /** May this call start? In state `open` the first to ask after the wait becomes the probe. */
  | { readonly type: "ask"; readonly callId: string; readonly owner: string; readonly leaseMs: number }
  /** A call is over. Evidence about the tool only: no denials, cancellations or budget refusals. `jitter` in [0, 1). */
  | { readonly type: "report"; readonly callId: string; readonly healthy: boolean; readonly jitter: number }
  | { readonly type: "trip"; readonly trip: Trip }
  | { readonly type: "reset"; readonly by: Actor; readonly reason: string };

export type BreakerRefusal = "stopped" | "open" | "probing" | "not-stopped" | "not-allowed" | "no-reason";

export type BreakerStep =
  | { readonly ok: true; readonly breaker: Breaker }
  | { readonly ok: false; readonly why: BreakerRefusal; readonly retryAt: number | null };

export const CLOSED: Breaker = Object.freeze({ state: "closed", evidence: NO_EVIDENCE });

/** Pure and total. A refused event changes nothing. */
export function stepBreaker(breaker: Breaker, event: BreakerEvent, now: number): BreakerStep {
  switch (event.type) {
    case "ask":
      return ask(breaker, event, now);
    case "report":
      return { ok: true, breaker: report(breaker, event.callId, event.healthy, event.jitter, now) };
    case "trip":
      // The first cause stays: it is what a person must look at.
      return { ok: true, breaker: breaker.state === "stopped" ? breaker : { state: "stopped", trip: event.trip } };
    case "reset":
      if (breaker.state !== "stopped") return refused("not-stopped");
      if (!mayReset(event.by)) return refused("not-allowed");
      return event.reason.trim() === "" ? refused("no-reason") : { ok: true, breaker: CLOSED };
    default:
      return unreachable(event);
  }
}

function ask(breaker: Breaker, event: Extract<BreakerEvent, { type: "ask" }>, now: number): BreakerStep {
  const { callId, owner, leaseMs } = event;
  switch (breaker.state) {
    case "closed":
      return { ok: true, breaker };
    case "open":
      if (now < breaker.until) return refused("open", breaker.until);
      return { ok: true, breaker: halfOpen(breaker.opened, { callId, owner, leaseUntil: now + leaseMs }) };
    case "half_open":
      // A probe whose owner died must not keep the breaker open for ever.
      if (now < breaker.probe.leaseUntil) return refused("probing", breaker.probe.leaseUntil);
      return { ok: true, breaker: halfOpen(breaker.opened, { callId, owner, leaseUntil: now + leaseMs }) };
    case "stopped":
      return refused("stopped");
    default:
      return unreachable(breaker);
  }
}

function report(breaker: Breaker, callId: string, healthy: boolean, jitter: number, now: number): Breaker {
  switch (breaker.state) {
    case "closed": {
      const evidence = addEvidence(breaker.evidence, healthy, now);
      return isIll(evidence, now) ? opened(1, jitter, now) : { state: "closed", evidence };
    }
    case "half_open":
      // Only the probe speaks; calls from before the breaker opened, and probes that were given up, are late.
      if (breaker.probe.callId !== callId) return breaker;
      return healthy ? CLOSED : opened(Math.min(breaker.opened + 1, HEALTH.mostDoublings), jitter, now);
    case "open":
    case "stopped":
      return breaker;
    default:
      return unreachable(breaker);
  }
}

function opened(times: number, jitter: number, now: number): Breaker {
  return { state: "open", opened: times, until: now + openMs(times, jitter) };
}

function halfOpen(opened: number, probe: Probe): Breaker {
  return { state: "half_open", opened, probe };
}

function refused(why: BreakerRefusal, retryAt: number | null = null): BreakerStep {
  return { ok: false, why, retryAt };
}

/**
 * A tool's breaker belongs to this very tool: a tool that was removed and registered anew, with another schema or server,
 * starts closed.
 */
export function breakerId(scope: "tool" | "agent" | "run", name: string, incarnation = ""): string {
  return `${scope}:${name}${incarnation === "" ? "" : `#${incarnation}`}`;
}
