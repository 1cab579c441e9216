/** Who took content out of the log, for entries that lack it: found by the index, said by the log. */
import { type ErasureNote, erasedBy, erasureNote, type StoredEntry } from "@saferun/core";
import type { SearchDesk } from "./ports.ts";

const PAGE = 200;

/** True for content that is there no more, or can be read by nobody. */
export function lacksContent({ parts }: StoredEntry): boolean {
  return parts.some(({ bytes, salt }) => bytes === null && salt === null);
}

/** By the position of the entry; of several the last. One that the index does not know yet is not among them. */
export async function erasuresOf(
  search: SearchDesk["search"],
  entries: readonly StoredEntry[],
): Promise<ReadonlyMap<number, ErasureNote>> {
  const wanted = new Set(entries.filter(lacksContent).map(({ seq }) => seq));
  const found = new Map<number, ErasureNote>();
  for (let cursor: string | null | undefined; wanted.size > 0 && cursor !== null; ) {
    const at = cursor === undefined ? {} : { cursor };
    const page = await search({ query: "type:log.erased", limit: PAGE, order: "newest", ...at });
    for (const entry of page.items.flatMap((item) => item.entries)) {
      const note = erasureNote(entry);
      if (note === undefined) continue;
      for (const { seq } of erasedBy(entry.parts)) if (wanted.delete(seq)) found.set(seq, note);
    }
    cursor = page.cursor;
  }
  return found;
}
