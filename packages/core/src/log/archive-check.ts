/** What a store rests on, held against the entries that say what was archived. */
import { canonicalJson } from "../value/json.ts";
import { type ArchiveBase, type ArchivedSegment, archivedBy, baseJson } from "./archive-base.ts";
import type { StoredEntry } from "./entry.ts";
import type { Faults } from "./fault.ts";

export interface ArchiveCheck {
  /** To be shown each entry `log.archived`, in order. */
  see(entry: StoredEntry): void;
  /** After the last entry. */
  finish(): void;
  /** As the entries name them. */
  readonly segments: readonly ArchivedSegment[];
}

export function createArchiveCheck(base: ArchiveBase, faults: Faults): ArchiveCheck {
  const segments: ArchivedSegment[] = [];
  let last: { readonly seq: number; readonly to: number; readonly base: string } | undefined;
  return {
    segments,
    see({ seq, parts }) {
      const entry = archivedBy(parts);
      if (entry === undefined) {
        const message = "the entry does not say what was archived";
        faults.add({ seq, fault: "changed", where: "archive", message });
        return;
      }
      const { base: kept, ...segment } = entry;
      segments.push(segment);
      last = { seq, to: segment.to, base: canonicalJson(kept) };
    },
    finish() {
      const rests = base.size > 0;
      if (last === undefined && !rests) return;
      if (last === undefined || (rests && last.to < base.size)) {
        const message = `entries before ${base.size} are not in the store, and no entry says that they were archived`;
        faults.add({ seq: 0, fault: "missing", where: "archive", message });
      } else if (last.base !== canonicalJson(baseJson(base))) {
        const message = "the row `archive/base` is not what the last entry `log.archived` says of it";
        faults.add({ seq: last.seq, fault: "changed", where: "archive", message });
      }
    },
  };
}
