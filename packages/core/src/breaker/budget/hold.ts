/**
 * Reserve before, settle after. A hold is a row; the counters of a pot are a cache of its rows.
 *
 * Every function takes rows and gives the next rows. The store locks the pots in `lockOrder`, reads them, calls one of these
 * functions and writes the result, in one transaction.
 */

import type { CallState } from "../../lifecycle.ts";
import { MOST } from "../../value/decimal.ts";
import { canonicalJson } from "../../value/json.ts";
import { type Actor, mayReset } from "../person.ts";
import type { Sliding } from "./sliding.ts";
import type { WindowNow } from "./window.ts";

/** What a budget allows in one window under one key. */
export interface Pot {
  readonly id: string;
  readonly budget: string;
  readonly unit: string;
  /** As the policies say. */
  readonly limit: bigint;
  /** What people have added to it, each time with a reason; what is lent is part of it. */
  readonly raised: bigint;
  /** Given to calls that a person let go beyond the limit, or that were only observed; goes back with them. Absent: nothing. */
  readonly lent?: bigint;
  /** What happens at the limit: a person is asked, or the call is refused. */
  readonly over: "pause" | "deny";
  /** Reserved and not over. Of a sliding window: in the slices that are left. */
  readonly held: bigint;
  readonly spent: bigint;
  /** The highest mark that was told: 0, 50, 80 or 100. */
  readonly marked: number;
  /** Only of sliding windows. */
  readonly sliding?: Sliding;
}

export interface HoldPart {
  readonly pot: string;
  readonly amount: bigint;
}

interface HoldBase {
  readonly id: string;
  readonly call: string;
  readonly attempt: number;
  /** One for each pot on the path, in lock order. */
  readonly parts: readonly HoldPart[];
  readonly at: number;
  /** After this a call that never started holds nothing any more. */
  readonly deadline: number;
  /** Only of calls of models, which have no row of their own. */
  readonly model?: ModelHold;
}

/** Whose call of a model it is, and what it holds of its run's cap. */
export interface ModelHold {
  readonly run: string;
  readonly root: string;
  /** Millionths of a dollar; 0 where no bound was known. */
  readonly usdMicros: bigint;
}

export type Hold =
  | (HoldBase & { readonly state: "held" })
  | (HoldBase & { readonly state: "settled"; readonly spent: readonly HoldPart[]; readonly endedAt: number })
  | (HoldBase & { readonly state: "void"; readonly proof: Proof; readonly endedAt: number });

/** That a call did not run. The agent's word is none. */
export type Proof =
  /** The gate's own executor: refused before the tool was contacted, or the tool surely did not act. */
  | { readonly by: "gate" }
  | { readonly by: "lookup"; readonly reference: string }
  | { readonly by: "person"; readonly actor: Actor; readonly reason: string };

/** One change of a pot's counters. */
export interface PotChange {
  readonly pot: string;
  readonly held: bigint;
  readonly spent: bigint;
}

export interface Mark {
  readonly pot: string;
  readonly percent: number;
}

/** A pot that has no room. */
export interface Shortage {
  readonly pot: string;
  readonly budget: string;
  readonly over: "pause" | "deny";
  readonly limit: bigint;
  readonly used: bigint;
  readonly wanted: bigint;
  /** Said, and stops nothing. */
  readonly observed?: true;
}

export type Reservation =
  | { readonly ok: true; readonly hold: Hold; readonly pots: readonly Pot[]; readonly marks: readonly Mark[] }
  | { readonly ok: false; readonly why: "over"; readonly shortages: readonly Shortage[] }
  /** An amount that is none, or a pot that was not read: denied. */
  | { readonly ok: false; readonly why: "invalid" };

export type HoldStep =
  | {
      readonly ok: true;
      readonly hold: Hold;
      readonly changes: readonly PotChange[];
      /** True where more was spent than was held: an alarm, since the bound was none. */
      readonly exceeded: boolean;
    }
  | { readonly ok: false; readonly why: "ended" | "invalid" | "no-proof" | "not-due" | "may-have-run" };

const MARKS = [50, 80, 100] as const;

/** Name of the pot; the environment is always part of it. */
export function potId(of: {
  readonly budget: string;
  readonly environment: string;
  readonly unit: string;
  readonly key: readonly string[];
  readonly window: WindowNow;
}): string {
  return canonicalJson([of.budget, of.environment, of.unit, of.key, of.window.key]);
}

/** One order for everyone who takes several pots, so that no two wait for each other. */
export function lockOrder<Of extends { readonly pot: string }>(parts: readonly Of[]): readonly Of[] {
  return [...parts].sort((one, other) => (one.pot < other.pot ? -1 : one.pot > other.pot ? 1 : 0));
}

/** All of it in every pot, or nothing. */
export function reserve(
  pots: readonly Pot[],
  of: Pick<HoldBase, "id" | "call" | "attempt" | "parts" | "at" | "deadline">,
): Reservation {
  const parts = lockOrder(of.parts);
  const byId = new Map(pots.map((pot) => [pot.id, pot]));
  const shortages: Shortage[] = [];
  const next: Pot[] = [];
  for (const { pot: id, amount } of parts) {
    const pot = byId.get(id);
    if (pot === undefined || !isAmount(amount)) return { ok: false, why: "invalid" };
    const used = pot.held + pot.spent;
    const { budget, over } = pot;
    const limit = pot.limit + pot.raised;
    if (used + amount > limit) shortages.push({ pot: id, budget, over, limit, used, wanted: amount });
    next.push({ ...pot, held: pot.held + amount });
  }
  // One pot twice would be checked against the same room twice.
  if (new Set(parts.map(({ pot }) => pot)).size < parts.length) return { ok: false, why: "invalid" };
  if (shortages.length > 0) return { ok: false, why: "over", shortages };
  const told = next.map(withMark);
  const { id, call, attempt, at, deadline } = of;
  const hold: Hold = { id, call, attempt, parts, at, deadline, state: "held" };
  return { ok: true, hold, pots: told.map(({ pot }) => pot), marks: told.flatMap(({ marks }) => marks) };
}

/**
 * Books what was really used, once. A pot without an actual amount books what was held: for calls whose price is known
 * before, and for streams that broke off and deliver no usage.
 */
export function settle(hold: Hold, actual: readonly HoldPart[], now: number): HoldStep {
  if (hold.state !== "held") return { ok: false, why: "ended" };
  const known = new Map(actual.map(({ pot, amount }) => [pot, amount]));
  if (actual.some(({ pot, amount }) => !isAmount(amount) || hold.parts.every((part) => part.pot !== pot))) {
    return { ok: false, why: "invalid" };
  }
  const spent = hold.parts.map(({ pot, amount }) => ({ pot, amount: known.get(pot) ?? amount }));
  const exceeded = hold.parts.some(({ amount }, at) => (spent[at]?.amount ?? 0n) > amount);
  const changes = hold.parts.map(({ pot, amount }, at) => ({ pot, held: -amount, spent: spent[at]?.amount ?? 0n }));
  return { ok: true, hold: { ...baseOf(hold), state: "settled", spent, endedAt: now }, changes, exceeded };
}

/** Releases what was held, with proof that the call did not run. */
export function voidHold(hold: Hold, proof: Proof, now: number): HoldStep {
  if (hold.state !== "held") return { ok: false, why: "ended" };
  return isProof(proof) ? release(hold, proof, now) : { ok: false, why: "no-proof" };
}

/** The deadline is over: released where the call surely never started. One that runs or may have run stays held. */
export function expireHold(hold: Hold, call: CallState, now: number): HoldStep {
  if (hold.state !== "held") return { ok: false, why: "ended" };
  if (now < hold.deadline) return { ok: false, why: "not-due" };
  switch (call) {
    case "denied":
    case "expired":
    // Surely without effect: that is what `failed` means.
    case "failed":
      return release(hold, { by: "gate" }, now);
    default:
      // Pending and approved calls must be expired first, so that none starts on a hold that is gone.
      return { ok: false, why: "may-have-run" };
  }
}

/** The pots after these changes. */
export function changePots(pots: readonly Pot[], changes: readonly PotChange[]): readonly Pot[] {
  return pots.map((pot) => {
    let { held, spent } = pot;
    for (const change of changes) {
      if (change.pot !== pot.id) continue;
      held += change.held;
      spent += change.spent;
    }
    return { ...pot, held, spent };
  });
}

/** More room by `amount`, with a reason. Undefined: not allowed. */
export function raiseLimit(pot: Pot, amount: bigint, by: Actor, reason: string): Pot | undefined {
  if (!mayReset(by) || reason.trim() === "" || !isAmount(amount) || amount === 0n) return undefined;
  return withRoom(pot, amount);
}

/** More room: what was told of the smaller limit is told once more of the larger one. */
function withRoom(pot: Pot, amount: bigint): Pot {
  const raised = pot.raised + amount;
  return { ...pot, raised, marked: markOf(pot.held + pot.spent, pot.limit + raised) };
}

/** Room beyond the limit for one call. It is no higher limit: what that call leaves of it goes (`withoutUnusedLoan`). */
export function withLoan(pot: Pot, amount: bigint): Pot {
  return { ...withRoom(pot, amount), lent: (pot.lent ?? 0n) + amount };
}

/** What was lent and is not used (any more) is room for nobody else. */
export function withoutUnusedLoan(pot: Pot): Pot {
  const { lent = 0n, raised } = pot;
  const free = pot.limit + raised - pot.held - pot.spent;
  if (lent === 0n || free <= 0n) return pot;
  const back = free < lent ? free : lent;
  return { ...pot, raised: raised - back, lent: lent - back };
}

function release(hold: Hold, proof: Proof, now: number): HoldStep {
  const changes = hold.parts.map(({ pot, amount }) => ({ pot, held: -amount, spent: 0n }));
  return { ok: true, hold: { ...baseOf(hold), state: "void", proof, endedAt: now }, changes, exceeded: false };
}

function baseOf({ id, call, attempt, parts, at, deadline, model }: Hold): HoldBase {
  return { id, call, attempt, parts, at, deadline, ...(model === undefined ? {} : { model }) };
}

/** Also asked at run time: proofs come over the wire. */
function isProof(proof: Proof): boolean {
  switch (proof.by) {
    case "gate":
      return true;
    case "lookup":
      return proof.reference !== "";
    case "person":
      return proof.actor.kind === "person" && proof.actor.id.trim() !== "" && proof.reason.trim() !== "";
    default:
      return false;
  }
}

function withMark(pot: Pot): { readonly pot: Pot; readonly marks: readonly Mark[] } {
  const reached = markOf(pot.held + pot.spent, pot.limit + pot.raised);
  if (reached <= pot.marked) return { pot, marks: [] };
  const marks = MARKS.filter((percent) => percent > pot.marked && percent <= reached);
  return { pot: { ...pot, marked: reached }, marks: marks.map((percent) => ({ pot: pot.id, percent })) };
}

export function markOf(used: bigint, limit: bigint): number {
  return MARKS.findLast((percent) => used * 100n >= limit * BigInt(percent) && used > 0n) ?? 0;
}

function isAmount(amount: unknown): amount is bigint {
  return typeof amount === "bigint" && amount >= 0n && amount <= MOST;
}
