/** Commits a transaction whose entries must account for what the protections come to inside it. */
import { type Objection, objectionDigest } from "../breaker/protect/objection.ts";
import type { CommitResult, Transaction } from "../ports.ts";

/** How often the protections may come to something else before the step is given up. */
const TRIES = 8;

/**
 * `build` makes the transaction, first without an objection, then with the one that came back, until the store has nothing
 * more to say. A result that still holds an objection wrote nothing.
 */
export async function accounted(
  commit: (transaction: Transaction) => Promise<CommitResult>,
  build: (objection: Objection | null) => Transaction,
): Promise<CommitResult> {
  let objection: Objection | null = null;
  for (let tries = 1; ; tries++) {
    const made = build(objection);
    const said = objection === null ? "" : objectionDigest(objection);
    const protection = made.protection === undefined ? {} : { protection: { ...made.protection, accounted: said } };
    const result = await commit({ ...made, ...protection });
    if (result.ok || !("objection" in result) || tries >= TRIES) return result;
    objection = result.objection;
  }
}
