/** Reserving for a call: the pots as they are now, all or nothing, and what is raised because a person saw the shortage. */
import { type Hold, lockOrder, type Pot, reserve, voidHold, withLoan, withoutUnusedLoan } from "../budget/hold.ts";
import { potAt } from "../budget/sliding.ts";
import type { PotClaim } from "./motion.ts";
import { add, bookHold, endHold, type Work } from "./work.ts";

interface Request {
  readonly id: string;
  readonly claims: readonly PotClaim[];
  /** Shortages stop nothing, what is used is booked all the same. */
  readonly observe: boolean;
  readonly raised: readonly string[];
  readonly deadline: number;
}

/** What a reservation comes to; it is booked by calling `book`, and only then. */
export type Money =
  | { readonly ok: true; readonly book: () => void }
  /** Said in the objection. */
  | { readonly ok: false };

export function reserveFor(work: Work, request: Request): Money {
  const { id, claims, deadline } = request;
  // By the store's time, which never goes back: a sliding window has no other start.
  const at = work.now;
  if (claims.length === 0) return { ok: true, book: () => undefined };
  const before = claims.map((claim) => potOf(work, claim, at));
  const parts = claims.map(({ pot, amount }) => ({ pot, amount }));
  const attempt = (pots: readonly Pot[]) => reserve(pots, { id, call: id, attempt: 1, parts, at, deadline });
  let pots = before;
  let step = attempt(pots);
  if (!step.ok && step.why === "over") {
    const { shortages } = step;
    const unseen = shortages.filter(({ budget }) => !request.raised.includes(budget));
    add(work, "shortages", request.observe ? unseen.map((shortage) => ({ ...shortage, observed: true })) : unseen);
    if (unseen.length > 0 && !request.observe) return { ok: false };
    // Observed, or seen by a person: the room that is missing is lent to this call, so that the books stay true.
    pots = before.map((pot) => {
      const short = shortages.find((shortage) => shortage.pot === pot.id);
      return short === undefined ? pot : withLoan(pot, short.used + short.wanted - short.limit);
    });
    step = attempt(pots);
  }
  if (!step.ok) {
    // An amount that is none, or one pot twice: what cannot be reserved is not spent.
    work.found = { ...work.found, refused: "budget.invalid" };
    return { ok: false };
  }
  const reserved = step;
  return {
    ok: true,
    book: () => {
      work.rows.setHold(reserved.hold);
      bookHold(work, reserved.pots, pots, reserved.marks, at);
    },
  };
}

/**
 * What the call holds is what it wants: the same amounts in the same pots, within the limits of now. A sliding window counts
 * from the claim, however long the call waited.
 */
export function isSameMoney(work: Work, hold: Hold | undefined, claims: readonly PotClaim[]): boolean {
  if (hold === undefined || hold.state !== "held") return claims.length === 0;
  if (claims.some(({ slidingMs }) => slidingMs !== null)) return false;
  if (claims.some((claim) => isOver(potOf(work, claim, work.now)))) return false;
  const wanted = lockOrder(claims);
  return (
    wanted.length === hold.parts.length &&
    wanted.every(({ pot, amount }, index) => hold.parts[index]?.pot === pot && hold.parts[index].amount === amount)
  );
}

/** What a call held before its arguments became others. */
export function giveBack(work: Work, id: string): void {
  const hold = work.rows.hold(id);
  if (hold !== undefined) endHold(work, voidHold(hold, { by: "gate" }, work.now));
}

/** The limit is the policies' of now, whatever it was when the pot was first used. */
function potOf(work: Work, claim: PotClaim, at: number): Pot {
  const { pot: id, budget, unit, limit, over, slidingMs } = claim;
  const known = work.rows.pot(id);
  if (known !== undefined) return withoutUnusedLoan(potAt({ ...known, limit, over }, at));
  const pot = { id, budget, unit, limit, raised: 0n, over, held: 0n, spent: 0n, marked: 0 };
  return slidingMs === null ? pot : { ...pot, sliding: { ms: slidingMs, slices: [] } };
}

function isOver({ held, spent, limit, raised }: Pot): boolean {
  return held + spent > limit + raised;
}
