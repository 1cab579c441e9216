/**
 * What commits have left in the WAL goes into `log.db` from a thread beside the writer. Otherwise a commit does it once for
 * thousands of pages, and all that came meanwhile wait for the disk.
 */
import type { DatabaseSync } from "node:sqlite";
import { connect } from "./schema.ts";

export interface Drain {
  /** Whether or not it succeeds nothing is lost: what is not in the file is in the WAL, and the next one begins with it. */
  run(): void;
  close(): void;
}

/** Of the store at `path`, which must exist. */
export function createDrain(path: string, busyMs: number): Drain {
  let db: DatabaseSync | undefined;

  function close(): void {
    const open = db;
    db = undefined;
    try {
      open?.close();
    } catch {
      // Nothing of it was this connection's to keep.
    }
  }

  return {
    run() {
      try {
        db ??= connect(path, { busyMs });
        // Waits for nobody, and nobody for it.
        db.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        // The writer meets the same error with its next commits, and says it.
        close();
      }
    },
    close,
  };
}
