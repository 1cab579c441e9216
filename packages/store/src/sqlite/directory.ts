/** The directory of a store: made closed, opened only when nobody else can have prepared it. */
import { closeSync, openSync, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { SafeRunError } from "@saferun/core";
import type { Installation } from "../node/installation.ts";
import {
  checkPrivateDirectory,
  createPrivateFile,
  makePrivateDirectory,
  readPrivateFile,
} from "../node/private-files.ts";

export interface StoreFiles {
  readonly log: string;
}

/** File systems on which SQLite's WAL is not safe (statfs(2)): NFS, SMB, SMB2, CIFS, 9p. */
const REMOTE = new Set([0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x01021997]);
const GITIGNORE = "*\n";

/**
 * Creates or checks the directory. With `installation` the store must carry its id, or be made now.
 * @throws SafeRunError `record.untrusted`, `record.unavailable`.
 */
export function prepareDirectory(directory: string, installation: Installation | undefined): StoreFiles {
  makePrivateDirectory(directory);
  checkPrivateDirectory(directory);
  if (REMOTE.has(statfsSync(directory).type)) {
    throw new SafeRunError("record.unavailable", `\`${directory}\` is on a network file system: use a local one`);
  }
  if (installation !== undefined) claim(directory, installation);
  createPrivateFile(join(directory, ".gitignore"), GITIGNORE);
  const log = join(directory, "log.db");
  // SQLite would make it readable for others; its WAL takes over the mode of this file.
  closeSync(openSync(log, "a", 0o600));
  return { log };
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
    `\`${directory}\` was not made by this account's SafeRun: move it away, or name it as \`store\` if you trust it`,
    { details: { directory } },
  );
}
