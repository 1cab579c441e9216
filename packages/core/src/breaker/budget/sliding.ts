/**
 * Pots of sliding windows: what was taken, in slices of time. A slice counts until all of it is out of the window, so that
 * at no moment more than the limit is taken in any window; room comes back up to one slice later than it could.
 */
import { markOf, type Pot, withoutUnusedLoan } from "./hold.ts";

const SLICES = 48;

interface Slice {
  /** Ms since 1970. */
  readonly start: number;
  readonly held: bigint;
  readonly spent: bigint;
}

export interface Sliding {
  /** Length of the window. */
  readonly ms: number;
  /** Oldest first. */
  readonly slices: readonly Slice[];
}

/** The pot as it counts at a moment: without the slices that are out of the window. Others stay as they are. */
export function potAt(pot: Pot, now: number): Pot {
  if (pot.sliding === undefined) return pot;
  const { ms, slices } = pot.sliding;
  const width = widthOf(ms);
  const left = slices.filter((slice) => slice.start + width > now - ms);
  return left.length === slices.length ? pot : withSlices(pot, left);
}

/** A change of what is held and spent, by a hold that was made `at`. One whose slice is out of the window changes nothing. */
export function booked(pot: Pot, change: { readonly held: bigint; readonly spent: bigint }, at: number): Pot {
  if (pot.sliding === undefined) {
    return withoutUnusedLoan({ ...pot, held: pot.held + change.held, spent: pot.spent + change.spent });
  }
  const { ms, slices } = pot.sliding;
  const width = widthOf(ms);
  const start = Math.floor(at / width) * width;
  const known = slices.find((slice) => slice.start === start);
  // Less of what is not there any more: its slice has gone, and all that was in it.
  if (known === undefined && change.held < 0n) return pot;
  const { held, spent } = known ?? { held: 0n, spent: 0n };
  const slice = { start, held: held + change.held, spent: spent + change.spent };
  const others = slices.filter((other) => other.start !== start);
  return withSlices(
    pot,
    [...others, slice].sort((one, other) => one.start - other.start),
  );
}

function withSlices(pot: Pot, slices: readonly Slice[]): Pot {
  const held = slices.reduce((total, slice) => total + slice.held, 0n);
  const spent = slices.reduce((total, slice) => total + slice.spent, 0n);
  const reached = markOf(held + spent, pot.limit + pot.raised);
  const sliding = { ms: pot.sliding?.ms ?? 0, slices };
  // A mark that the window has left behind is told again when it is reached again.
  return withoutUnusedLoan({ ...pot, held, spent, marked: Math.min(pot.marked, reached), sliding });
}

function widthOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / SLICES));
}
