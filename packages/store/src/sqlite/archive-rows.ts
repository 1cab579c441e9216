/** What leaves `log.db` for an archive, and what it says of itself since. Inside a transaction of the caller's. */
import type { DatabaseSync } from "node:sqlite";
import { type ArchiveBase, type ArchivedRows, BASE_ROW, baseIn, type Conflict, invariant } from "@saferun/core";
import { integer, PARTS_PER_ENTRY, row, text } from "./schema.ts";

/** What the store rests on. @throws SafeRunError `record.corrupt`. */
export function readBase(db: DatabaseSync): ArchiveBase {
  const found = row(db.prepare("SELECT value FROM state WHERE kind = 'archive' AND id = ?"), BASE_ROW);
  return baseIn(found === undefined ? undefined : { value: JSON.parse(text(found.value, "value")) });
}

/** A run that went on since it was looked at. */
export function archiveConflict(db: DatabaseSync, { runs }: ArchivedRows): Conflict | undefined {
  const entriesOf = db.prepare("SELECT n FROM runs WHERE id = ?");
  for (const { id, entries } of runs) {
    const found = row(entriesOf, id);
    if (found === undefined || integer(found.n, "n") !== entries) return { kind: "run", id };
  }
  return undefined;
}

export function removeArchived(db: DatabaseSync, { to, runs, calls, approvals }: ArchivedRows, size: number): void {
  invariant(to < size, "an archive of more entries than there are");
  db.prepare("DELETE FROM parts WHERE id < ?").run(to * PARTS_PER_ENTRY);
  db.prepare("DELETE FROM entries WHERE seq < ?").run(to);
  db.prepare("DELETE FROM checkpoints WHERE size < ?").run(to);
  const remove = (table: "runs" | "calls" | "approvals", ids: readonly string[]): void => {
    const statement = db.prepare(`DELETE FROM ${table} WHERE id = ?`);
    for (const id of ids) statement.run(id);
  };
  remove(
    "runs",
    runs.map(({ id }) => id),
  );
  remove("calls", calls);
  remove("approvals", approvals);
}
