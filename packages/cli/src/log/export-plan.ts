/** What an export is of: the log as it is when it begins, or, for an excerpt, the tree that a checkpoint signs. */
import { archiveBase, type ExportHead, parseCheckpoint, parseNote, type Store } from "@saferun/core";
import { rotationsToNow } from "@saferun/store";
import { failed } from "../exit.ts";
import { claimedKey } from "./claimed-key.ts";

export interface ExportPlan {
  readonly format: "jsonl" | "csv";
  readonly head: ExportHead;
  /** With what is sealed in the clear: the rest of it must not be otherwise. */
  readonly unsealed: boolean;
  /** When it began, ms: `since:7d` means the same when it goes on. */
  readonly now: number;
}

export interface ExportWish extends Omit<ExportPlan, "head"> {
  /** The search that chooses the entries; null for the whole log. */
  readonly query: string | null;
  /** Signs the log's head as it is now; where it cannot, an excerpt reaches as far as the last checkpoint does. */
  sign(): Promise<void>;
}

/** @throws CommandError `log.unsigned` where nothing is signed that an excerpt's proofs could lead to. */
export async function planExport(store: Store, { query, sign, ...plan }: ExportWish): Promise<ExportPlan> {
  const { size, root } = await store.head();
  const key = (await claimedKey(store)) ?? null;
  const head = { log: store.logId, size, root, query, key };
  // An excerpt rests on its checkpoint, CSV on nothing.
  if (query === null || plan.format === "csv") return { ...plan, head: { ...head, base: await archiveBase(store) } };
  await sign();
  const note = (await store.checkpoints()).at(-1)?.note ?? "";
  const checkpoint = parseCheckpoint(parseNote(note)?.text ?? "");
  if (checkpoint === undefined) {
    throw failed(
      "log.unsigned",
      "this log has no checkpoint, so an excerpt of it proves nothing: export the whole log",
    );
  }
  const signed = { note, rotations: await rotationsToNow(store) };
  return { ...plan, head: { ...head, size: checkpoint.size, root: checkpoint.root, signed } };
}
