/** The key that a log says it is signed with. */

import { archiveBase, formatNoteKey, parseHeader, parseNoteKey, type Store } from "@saferun/core";
import { partJson } from "@saferun/server/wire";
import { nodeHash } from "@saferun/store";

/** The key that the log's first entry names: whoever could change the log could change it too. */
export async function claimedKey(store: Store): Promise<string | undefined> {
  const base = await archiveBase(store);
  if (base.size > 0) return base.key ?? undefined;
  const [first] = await store.entries({ from: 0, limit: 1 });
  if (first === undefined) return undefined;
  try {
    if (parseHeader(first.header).type !== "log.opened") return undefined;
    const part = first.parts.find(({ name }) => name === "key");
    const value = part === undefined ? undefined : partJson(part);
    return typeof value === "string" ? formatNoteKey(parseNoteKey(value, nodeHash)) : undefined;
  } catch {
    // A damaged first entry is what the verification will say; a text that is no key names none.
    return undefined;
  }
}
