/**
 * Room that is kept for the end: a file beside the store that is removed when the disk is full, so that stops, denials and
 * the outcomes of what runs still fit. While it is gone nothing starts, in no process; it is made again when there is room.
 */
import { randomFillSync } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { type EntryType, SafeRunError } from "@saferun/core";

const PAGE_BYTES = 4_096;
/** Some hundred commits. */
const BYTES = 4_194_304;
/** There must be so many times of it, or the next commits would take it away again. */
const ROOM = 2;

export interface Ballast {
  /** One look at the file system. */
  isHeld(): boolean;
  release(): void;
  /** Makes it where there is room, of which `pages` are left within a bound on the file. True when it is held now. */
  make(pages: number | undefined): boolean;
  /** Of the pages that the file may have, those that are for the end. */
  readonly pages: number;
}

/** `maxPages`: the bound on the store's file, which the ballast then is a part of. */
export function createBallast(store: string, maxPages: number | undefined): Ballast {
  const path = join(dirname(store), "ballast");
  const bytes = maxPages === undefined ? BYTES : Math.min(BYTES, Math.floor(maxPages / 4) * PAGE_BYTES);
  const pages = maxPages === undefined ? 0 : bytes / PAGE_BYTES;
  const isHeld = (): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
  return {
    pages,
    isHeld,
    release: () => rmSync(path, { force: true }),
    make(left) {
      if (isHeld()) return true;
      const { bavail, bsize } = statfsSync(dirname(store));
      if (bavail * bsize < ROOM * bytes || (left !== undefined && left < ROOM * pages)) return false;
      try {
        write(path, bytes);
        return true;
      } catch (error) {
        if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT"))
          return false;
        throw error;
      }
    },
  };
}

/** Bytes that no file system folds together; whole or not at all. */
function write(path: string, bytes: number): void {
  // Several openings of one process, each with its thread, may be making it at once.
  const temporary = `${path}.${process.pid}.${threadId}.tmp`;
  const block = randomFillSync(Buffer.alloc(Math.min(bytes, 65_536)));
  try {
    const file = openSync(temporary, "w", 0o600);
    try {
      for (let written = 0; written < bytes; )
        written += writeSync(file, block, 0, Math.min(block.length, bytes - written));
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

const STARTS: ReadonlySet<EntryType> = new Set(["call.executing", "approval.requested", "model.requested"]);

/** Whether something is done after it that was not done before: that waits until there is room. */
export function starts(entries: readonly { readonly type: EntryType }[]): boolean {
  return entries.some(({ type }) => STARTS.has(type));
}

export function noRoom(): SafeRunError {
  const message =
    "the store's disk is full: what room is left is kept for ending what runs; make room, nothing starts until then";
  return new SafeRunError("record.full", message);
}

export const RELEASED =
  "the store's disk is full: the room that was kept is in use for ending what runs, and nothing starts until there is more";
export const MADE_AGAIN = "there is room on the store's disk again: calls may start";
