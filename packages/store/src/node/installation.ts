/**
 * What SafeRun knows of itself on this machine and account, outside of every project: an id that its stores carry, so
 * that a cloned repository cannot bring a store of its own; and of each log the last signed head, so that one that was cut
 * back or restored is noticed, and what was erased in it or went because of its age, so that a restored one
 * forgets it again.
 */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { type KeptErasure, SafeRunError, toHex } from "@saferun/core";
import { storeFailure } from "../sqlite/failure.ts";
import { nodeRandom } from "./ports.ts";
import {
  appendPrivateFile,
  checkPrivateDirectory,
  createPrivateFile,
  makePrivateDirectory,
  readPrivateFile,
  replacePrivateFile,
} from "./private-files.ts";

export interface Installation {
  /** Random, 128 bits, hex. */
  readonly id: string;
  readonly directory: string;
  /** The last signed note that this account's checkpointer has kept for a log; undefined when there is none. */
  lastNote(logId: string): string | undefined;
  keepNote(logId: string, note: string): void;
  /** What was erased in a log, oldest first. @throws SafeRunError `record.corrupt` where that cannot be read. */
  erasures(logId: string): readonly KeptErasure[];
  /** Durable when it returns. */
  keepErasure(logId: string, erasure: KeptErasure): void;
  /** Content of a log that is older, by its entries' time in ms, was deleted because of its age; 0 where none was. */
  retainedBefore(logId: string): number;
  /** Durable when it returns; an earlier time than is kept changes nothing. */
  keepRetained(logId: string, before: number): void;
}

export interface InstallationOptions {
  /** Default: `SAFERUN_STATE_DIR`, else `$XDG_STATE_HOME/saferun`, else `~/.local/state/saferun`. */
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const ID = /^[0-9a-f]{32}$/;

/**
 * This account's installation; made when it is missing.
 * @throws SafeRunError `record.untrusted` for a state directory that others can write, `record.unavailable`,
 * `option.invalid` for a relative one.
 */
export function installation(options: InstallationOptions = {}): Installation {
  const directory = options.directory ?? stateDirectory(options.environment ?? process.env);
  try {
    makePrivateDirectory(directory);
    checkPrivateDirectory(directory);
    const path = join(directory, "installation");
    createPrivateFile(path, `${toHex(nodeRandom.bytes(16))}\n`);
    const id = readPrivateFile(path)?.trim() ?? "";
    if (!ID.test(id)) throw new SafeRunError("record.untrusted", `\`${path}\` holds no installation id: remove it`);
    return {
      id,
      directory,
      lastNote: (logId) => readPrivateFile(pathOf(directory, "head", logId)),
      keepNote: (logId, note) => replacePrivateFile(pathOf(directory, "head", logId), note),
      erasures: (logId) => parseErasures(readPrivateFile(pathOf(directory, "erased", logId)) ?? ""),
      keepErasure: (logId, erasure) =>
        appendPrivateFile(pathOf(directory, "erased", logId), `${JSON.stringify(erasure)}\n`),
      retainedBefore: (logId) => parseTime(readPrivateFile(pathOf(directory, "retained", logId)) ?? "0\n"),
      keepRetained: (logId, before) => {
        const path = pathOf(directory, "retained", logId);
        if (before > parseTime(readPrivateFile(path) ?? "0\n")) replacePrivateFile(path, `${before}\n`);
      },
    };
  } catch (error) {
    throw storeFailure(error);
  }
}

/** Absolute: a relative one would lie in the project, which then brought the id that its own store carries. */
function stateDirectory({ SAFERUN_STATE_DIR, XDG_STATE_HOME, HOME }: Readonly<Record<string, string | undefined>>) {
  if (SAFERUN_STATE_DIR && !isAbsolute(SAFERUN_STATE_DIR)) {
    const message = `SAFERUN_STATE_DIR is \`${SAFERUN_STATE_DIR}\`: it must be an absolute path, outside of every project`;
    throw new SafeRunError("option.invalid", message);
  }
  if (SAFERUN_STATE_DIR) return SAFERUN_STATE_DIR;
  // As its specification has it, a relative one counts as not set.
  if (XDG_STATE_HOME && isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, "saferun");
  return join(HOME && isAbsolute(HOME) ? HOME : homedir(), ".local", "state", "saferun");
}

function pathOf(directory: string, what: "head" | "erased" | "retained", logId: string): string {
  if (!ID.test(logId)) throw new SafeRunError("record.corrupt", "a log whose id is no id");
  return join(directory, `${what}-${logId}`);
}

function parseTime(text: string): number {
  const time = /^\d{1,16}\n$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(time)) return time;
  throw new SafeRunError("record.corrupt", "the time of a retention in the state directory is damaged: restore it");
}

/** A last line without its end was being written when the process died: that erasure was not begun. */
function parseErasures(text: string): readonly KeptErasure[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => {
    try {
      const { kind, parts } = JSON.parse(line) as Partial<Record<keyof KeptErasure, unknown>>;
      const isKind = kind === "subject" || kind === "run" || kind === "call";
      if (isKind && Array.isArray(parts) && parts.every((one) => typeof one === "string")) return { kind, parts };
    } catch {
      // Said below.
    }
    throw new SafeRunError("record.corrupt", "the list of erasures in the state directory is damaged: restore it");
  });
}
