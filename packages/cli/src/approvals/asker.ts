/** Whether the process that asked is still there: an answer to one that is gone makes nothing run by itself. */
import { type ApprovalRecord, readableHeader, type Store } from "@saferun/core";

const PAGE = 1_000;

export const ASKER_GONE =
  "the process that asked has ended: the call runs only when a run of the same id is taken up and asks again";

/** True where it has surely ended. */
export async function isAskerGone(store: Store, { id, run }: ApprovalRecord): Promise<boolean> {
  const asker = await askerOf(store, id, run);
  return asker !== undefined && (await store.deadWriters()).includes(asker);
}

/** The writer of the question, as the log names it. */
async function askerOf(store: Store, approval: string, run: string): Promise<string | undefined> {
  for (let from = 0; ; ) {
    const entries = await store.entries({ run, from, limit: PAGE });
    for (const entry of entries) {
      const header = readableHeader(entry);
      if (header?.type === "approval.requested" && header.approval === approval) return header.writer.id;
    }
    const last = entries.at(-1);
    if (entries.length < PAGE || last === undefined) return undefined;
    from = last.seq + 1;
  }
}
