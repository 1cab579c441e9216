/** Calls of models of which nobody has heard again: their process is gone, or hangs. */

import type { Motion } from "../breaker/protect/motion.ts";
import { decodeHold } from "../breaker/protect/rows.ts";
import { accounted } from "../gate/account.ts";
import { part, protectionEntries } from "../gate/record.ts";
import type { EntryDraft } from "../log/entry.ts";
import type { Clock, Random, Store } from "../ports.ts";

/** Looked at in one step; what is due longest comes first. */
const MOST = 10_000;

/**
 * Books at its estimate what a call of a model still holds after its deadline: it may have been answered, and nobody will
 * say what it used. Any process may do it, and any number of them.
 * @returns ids of those calls.
 * @throws SafeRunError when the store cannot be asked or cannot record it.
 */
export async function bookLostModels(ports: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}): Promise<readonly string[]> {
  const { store, clock, random } = ports;
  const booked: string[] = [];
  for (const row of await store.dueRows({ kind: "hold", by: clock.now(), limit: MOST })) {
    if (row.value === null) continue;
    const { id, state, model } = decodeHold(row.value);
    if (state !== "held" || model === undefined) continue;
    const settle: Motion = { type: "settle", id, ran: true, actual: [], usdMicros: null, unbounded: [] };
    const spend = part("spend", { id, usd_micros: String(model.usdMicros), estimate: true }, random);
    const head = { run: model.run };
    let mine = true;
    const result = await accounted(
      (transaction) => store.commit(transaction),
      (objection) => {
        mine = objection?.refused !== "ended";
        const told = objection === null ? [] : protectionEntries(head, objection, random);
        const entries: EntryDraft[] = mine ? [{ ...head, type: "model.lost", model: id, parts: [spend] }, ...told] : [];
        return { entries, protection: { motions: [settle], accounted: "" } };
      },
    );
    if (result.ok && mine) booked.push(id);
  }
  return booked;
}
