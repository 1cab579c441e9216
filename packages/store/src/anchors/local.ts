/** The cheapest anchors: a file that is only appended to, and lines for whoever collects them. */
import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { type Anchor, checkpointLine, notesOfAnchor } from "./anchor.ts";

/**
 * Appends each checkpoint to a file. It anchors something only where this account cannot change what is written: another
 * machine's mount, a file system with append-only attributes, a medium that is written once.
 */
export function createFileAnchor(path: string): Anchor {
  return {
    name: `file ${path}`,
    publish: async ({ note }) => {
      const file = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o644);
      try {
        // In one write, so that two processes do not mix their lines.
        writeSync(file, `${note}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      return note;
    },
    kept: async () => {
      try {
        return (notesOfAnchor(readFileSync(path, "utf8")) ?? []).toReversed().map((note) => ({ note }));
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
        throw error;
      }
    },
  };
}

/** Hands each checkpoint on as one line, without a line break; `write` may be that of a syslog. */
export function createLineAnchor(name: string, write: (line: string) => void): Anchor {
  return {
    name,
    publish: async ({ note }) => {
      write(checkpointLine(note));
      return note;
    },
  };
}
