/** Directories and files that belong to this account alone: how they are made, and when they are not believed. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { SafeRunError } from "@saferun/core";

/** Group or others may write. */
const WRITABLE_BY_OTHERS = 0o022;
/** Group or others may do anything at all. */
const OPEN_TO_OTHERS = 0o077;

/**
 * Creates the directory (0700) where it is missing; true when it was made now. Parents are made the same way. One by one: asked
 * for all of them, Node never comes back where a parent is there and takes no directory, as in `/proc`.
 */
export function makePrivateDirectory(path: string): boolean {
  const parent = dirname(path);
  if (statSync(path, { throwIfNoEntry: false }) === undefined && parent !== path) makePrivateDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    // It was there, or somebody else was first.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
    throw error;
  }
}

/** The directory, or what is there of the way to it. */
export function nearestExisting(path: string): string {
  const parent = dirname(path);
  return parent === path || statSync(path, { throwIfNoEntry: false }) !== undefined ? path : nearestExisting(parent);
}

/**
 * The directory and every file directly in it must be this account's, no link, and closed to others.
 * @throws SafeRunError `record.untrusted`.
 */
export function checkPrivateDirectory(path: string): void {
  checkPrivate(path, lstatSync(path), "directory");
  for (const name of readdirSync(path)) {
    const file = join(path, name);
    const stats = statsOf(file);
    // A file of SQLite's may go between the listing and the look.
    if (stats !== undefined) checkPrivate(file, stats, "any");
  }
}

/** The text of a private file, undefined when there is none. @throws SafeRunError `record.untrusted`. */
export function readPrivateFile(path: string): string | undefined {
  const stats = statsOf(path);
  if (stats === undefined) return undefined;
  checkPrivate(path, stats, "file");
  return readFileSync(path, "utf8");
}

/** The same for a secret: nobody else may have read it either. @throws SafeRunError `record.untrusted`. */
export function readSecretFile(path: string): string | undefined {
  const stats = statsOf(path);
  if (stats !== undefined && process.geteuid !== undefined && (stats.mode & OPEN_TO_OTHERS) !== 0) {
    const message = `\`${path}\` is a secret that other accounts can read: take the right from them (mode 0600), or move it away for a new one`;
    throw new SafeRunError("record.untrusted", message, { details: { path } });
  }
  return readPrivateFile(path);
}

/** Writes a new file (0600) whole or not at all; false when there is one already, which is left alone. */
export function createPrivateFile(path: string, content: string): boolean {
  const temporary = writeTemporary(path, content);
  try {
    linkSync(temporary, path);
    syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

/** Replaces a file (0600) whole or not at all. */
export function replacePrivateFile(path: string, content: string): void {
  renameSync(writeTemporary(path, content), path);
  syncDirectory(dirname(path));
}

/** Adds to a file (0600), which is made where it is missing; durable when it returns. @throws SafeRunError `record.untrusted`. */
export function appendPrivateFile(path: string, content: string): void {
  const stats = statsOf(path);
  if (stats !== undefined) checkPrivate(path, stats, "file");
  const file = openSync(path, "a+", 0o600);
  try {
    // What a killed process left of its line must not swallow this one.
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    const whole = size === 0 || (readSync(file, last, 0, 1, size - 1) === 1 && last[0] === 0x0a);
    if (!whole) throw new SafeRunError("record.corrupt", `\`${path}\` ends within a line: remove that line`);
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (stats === undefined) syncDirectory(dirname(path));
}

function writeTemporary(path: string, content: string): string {
  const temporary = `${path}.${process.pid}.${process.hrtime.bigint()}.tmp`;
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function statsOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function checkPrivate(path: string, stats: Stats, kind: "directory" | "file" | "any"): void {
  const fault = faultOf(stats, kind);
  if (fault !== undefined) {
    throw new SafeRunError("record.untrusted", `\`${path}\` ${fault}: it is not opened`, { details: { path } });
  }
}

function faultOf(stats: Stats, kind: "directory" | "file" | "any"): string | undefined {
  if (stats.isSymbolicLink()) return "is a symbolic link";
  if (kind === "directory" && !stats.isDirectory()) return "is no directory";
  if (kind === "file" && !stats.isFile()) return "is no regular file";
  const uid = process.geteuid?.();
  if (uid !== undefined && stats.uid !== uid) return `belongs to another account (uid ${stats.uid})`;
  if (uid !== undefined && (stats.mode & WRITABLE_BY_OTHERS) !== 0) return "can be written by other accounts";
  return undefined;
}
