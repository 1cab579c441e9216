/** Recomputes every pot from the rows and says what does not agree. Whatever it finds is an alarm. */
import type { CallState } from "../../lifecycle.ts";
import { type Hold, lockOrder, type Pot } from "./hold.ts";

export type AuditFault =
  /** The cache says something else than the rows. */
  | { readonly kind: "drift"; readonly pot: string; readonly held: bigint; readonly spent: bigint }
  | { readonly kind: "overspent"; readonly pot: string; readonly used: bigint; readonly limit: bigint }
  /** Money held for a call that is over. */
  | { readonly kind: "leaked"; readonly hold: string; readonly call: string }
  /** Money held or spent for a call that nobody knows, or spent for one that surely did not run. */
  | { readonly kind: "phantom"; readonly hold: string; readonly call: string }
  /** Two holds for one attempt of one call. */
  | { readonly kind: "twice"; readonly call: string; readonly attempt: number }
  /** A row that breaks the order of the locks, or holds less than nothing. */
  | { readonly kind: "malformed"; readonly hold: string };

/** What the rows say is in a pot; `since` for sliding windows. */
export function usedOf(holds: readonly Hold[], pot: string, since: number | null): Pick<Pot, "held" | "spent"> {
  let held = 0n;
  let spent = 0n;
  for (const hold of holds) {
    if (since !== null && hold.at <= since) continue;
    if (hold.state === "held") held += partOf(hold.parts, pot);
    else if (hold.state === "settled") spent += partOf(hold.spent, pot);
  }
  return { held, spent };
}

/** `states` knows every call; one that it does not know is a phantom. Pots of sliding windows are given as read now. */
export function audit(
  pots: readonly Pot[],
  holds: readonly Hold[],
  states: ReadonlyMap<string, CallState>,
  since: ReadonlyMap<string, number> = new Map(),
): readonly AuditFault[] {
  const faults: AuditFault[] = [];
  for (const pot of pots) {
    const { held, spent } = usedOf(holds, pot.id, since.get(pot.id) ?? null);
    if (held !== pot.held || spent !== pot.spent) faults.push({ kind: "drift", pot: pot.id, held, spent });
    const limit = pot.limit + pot.raised;
    if (held + spent > limit) faults.push({ kind: "overspent", pot: pot.id, used: held + spent, limit });
  }
  const attempts = new Set<string>();
  for (const hold of holds) {
    faults.push(...faultsOf(hold, states.get(hold.call)));
    const attempt = `${hold.attempt} ${hold.call}`;
    if (attempts.has(attempt)) faults.push({ kind: "twice", call: hold.call, attempt: hold.attempt });
    attempts.add(attempt);
  }
  return faults;
}

function faultsOf(hold: Hold, state: CallState | undefined): readonly AuditFault[] {
  const { id, call, parts } = hold;
  const faults: AuditFault[] = [];
  const over = state === "succeeded" || state === "failed" || state === "denied" || state === "expired";
  const ran = state === "succeeded" || state === "executing" || state === "unknown";
  const { model } = hold;
  if (model === undefined && hold.state === "held" && over) faults.push({ kind: "leaked", hold: id, call });
  // A call of a model has no row: its hold is all there is, and ends at its deadline.
  if (model === undefined && (hold.state === "settled" ? !ran : hold.state === "held" && state === undefined)) {
    faults.push({ kind: "phantom", hold: id, call });
  }
  const ordered = lockOrder(parts).every((part, at) => part === parts[at]);
  const amounts = hold.state === "settled" ? [...parts, ...hold.spent] : parts;
  if (!ordered || amounts.some(({ amount }) => amount < 0n)) faults.push({ kind: "malformed", hold: id });
  return faults;
}

function partOf(parts: Hold["parts"], pot: string): bigint {
  return parts.reduce((total, part) => (part.pot === pot ? total + part.amount : total), 0n);
}
