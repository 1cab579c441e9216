/** The directory of a store: made closed, opened only when nobody else can have prepared it. */
import { closeSync, openSync, readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { SafeRunError } from "@saferun/core";
import { signingKeyPath } from "../node/file-signer.ts";
import type { Installation } from "../node/installation.ts";
import {
  checkPrivateDirectory,
  createPrivateFile,
  makePrivateDirectory,
  nearestExisting,
  readPrivateFile,
} from "../node/private-files.ts";
import { storeFailure } from "./failure.ts";

export interface StoreFiles {
  readonly log: string;
}

/** File systems on which SQLite's WAL is not safe (statfs(2)): NFS, SMB, SMB2, CIFS, 9p. */
const REMOTE = new Set([0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x01021997]);
/** What the kernel tells of itself, where nothing can be kept: proc, sysfs. */
const NO_DISK = new Set([0x9fa0, 0x62656572]);
const GITIGNORE = "*\n";

/**
 * Creates or checks the directory. With `installation` the store must carry its id, or be made now.
 * @throws SafeRunError `record.untrusted`, `record.unavailable`.
 */
export function prepareDirectory(directory: string, installation: Installation | undefined): StoreFiles {
  if (NO_DISK.has(statfsSync(nearestExisting(directory)).type)) {
    throw new SafeRunError(
      "record.unavailable",
      `\`${directory}\` is on a file system that keeps no files: use a disk`,
    );
  }
  makePrivateDirectory(directory);
  checkPrivateDirectory(directory);
  if (REMOTE.has(statfsSync(directory).type)) {
    throw new SafeRunError("record.unavailable", `\`${directory}\` is on a network file system: use a local one`);
  }
  if (installation !== undefined) claim(directory, installation);
  createPrivateFile(join(directory, ".gitignore"), GITIGNORE);
  const log = join(directory, "log.db");
  refuseEmptied(directory);
  // SQLite would make it readable for others; its WAL takes over the mode of this file.
  closeSync(openSync(log, "a", 0o600));
  return { log };
}

/** Whether a store was ever made there. @throws SafeRunError `record.corrupt`, `record.unavailable`. */
export function hasStore(directory: string): boolean {
  try {
    refuseEmptied(directory);
    return statSync(join(directory, "log.db"), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw storeFailure(error);
  }
}

/**
 * The key is made after the tables. Beside a file without any, or without a file, the record was emptied or taken away: a new
 * one in its place would know no stop, no denial and no spending, and nobody would be told.
 * @throws SafeRunError `record.corrupt`.
 */
export function refuseEmptied(directory: string): void {
  const bytes = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes(join(directory, "log.db")) > 0 || bytes(signingKeyPath(directory)) === 0) return;
  throw new SafeRunError(
    "record.corrupt",
    `\`${directory}\` has lost its record: \`log.db\` is empty or gone, and the key beside it has signed one; restore the file, or move the whole directory away to begin anew`,
    { details: { directory } },
  );
}

function claim(directory: string, installation: Installation): void {
  const path = join(directory, "installation");
  const found = readPrivateFile(path);
  if (found === undefined) {
    // Only an empty directory becomes ours: files that are there already came from somebody.
    if (readdirSync(directory).some((name) => name !== ".gitignore" && !name.endsWith(".tmp")))
      throw foreign(directory);
    createPrivateFile(path, `${installation.id}\n`);
  }
  if (readPrivateFile(path)?.trim() !== installation.id) throw foreign(directory);
}

function foreign(directory: string): SafeRunError {
  return new SafeRunError(
    "record.untrusted",
    `\`${directory}\` was not made by this account's SafeRun: move it away, or name it as \`store\` (\`--store ./.saferun\` on the command line) if you trust it`,
    { details: { directory } },
  );
}
