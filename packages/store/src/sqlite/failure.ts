/** SQLite's and the file system's errors → the store's own closed list. */
import { InvariantError, SafeRunError } from "@saferun/core";

/** Primary result codes (sqlite.org/rescode.html). */
const BUSY = 5;
const LOCKED = 6;
const FULL = 13;
const CORRUPT = 11;
const NOTADB = 26;
const TOOBIG = 18;
const CONSTRAINT = 19;
const MISMATCH = 20;

/** A SafeRunError for whatever a store operation threw. */
export function storeFailure(error: unknown): SafeRunError | InvariantError {
  if (error instanceof SafeRunError || error instanceof InvariantError) return error;
  const options = { cause: error };
  switch (sqliteCode(error) ?? systemCode(error)) {
    case BUSY:
    case LOCKED:
      return new SafeRunError("record.busy", "the store is busy: other processes keep its write lock; try again", {
        ...options,
        retryable: true,
      });
    case FULL:
    case "ENOSPC":
    case "EDQUOT":
      return new SafeRunError("record.full", "the store's disk is full: make room, nothing runs until then", options);
    case CORRUPT:
    case NOTADB:
      return new SafeRunError("record.corrupt", "the store's file is damaged: restore it, or move it away", options);
    case "EACCES":
    case "EPERM":
      return new SafeRunError(
        "record.unavailable",
        `this account may not use the store (${oneLine(error)}): take the account that made it, or another store`,
        options,
      );
    default:
      return new SafeRunError("record.unavailable", `the store cannot be used: ${oneLine(error)}`, options);
  }
}

export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED;
}

/** True for an error of the file, after which the connection is given up; false for one of a single statement's values. */
export function isFileError(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && code !== TOOBIG && code !== CONSTRAINT && code !== MISMATCH;
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");
}
