/** Whether the process that asked is still there: an answer to one that is gone makes nothing run by itself. */
import type { ApprovalRecord } from "../approval/approval.ts";
import type { Store } from "../ports.ts";
import { readableHeader } from "../search/match.ts";

const PAGE = 1_000;

export const ASKER_GONE =
  "the process that asked has ended: the call runs only when a run of the same id is taken up and asks again";

type Question = Pick<ApprovalRecord, "id" | "run">;

/** True where it has surely ended. */
export async function isAskerGone(
  store: Pick<Store, "entries" | "deadWriters">,
  question: Question,
  asker = askerOf(store, question),
): Promise<boolean> {
  const gone = await store.deadWriters();
  return gone.length > 0 && gone.includes((await asker) ?? "");
}

/** The writer of the question, as the log names it; it never changes. */
export async function askerOf(store: Pick<Store, "entries">, { id, run }: Question): Promise<string | undefined> {
  for (let from = 0; ; ) {
    const entries = await store.entries({ run, from, limit: PAGE });
    for (const entry of entries) {
      const header = readableHeader(entry);
      if (header?.type === "approval.requested" && header.approval === id) return header.writer.id;
    }
    const last = entries.at(-1);
    if (entries.length < PAGE || last === undefined) return undefined;
    from = last.seq + 1;
  }
}
