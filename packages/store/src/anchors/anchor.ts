/** Places outside of the store that keep its checkpoints: what they hold, nobody with store and key can take back. */
import { splitNotes } from "@saferun/core";

export interface AnchoredCheckpoint {
  /** The log's identity. */
  readonly log: string;
  readonly size: number;
  /** The signed note. */
  readonly note: string;
  /** The proof that this head grew out of the one over `oldSize` entries. */
  prove(oldSize: number): Promise<readonly Uint8Array[]>;
}

/** A log as its store has it, for whoever is asked what was kept of it. */
export interface OwnLog {
  readonly id: string;
  /** Its checkpoints as they are now, the smallest first. */
  checkpoints(): Promise<readonly { readonly size: number; readonly note: string }[]>;
  /** The proof that the head over `size` entries grew out of the one over `oldSize`. */
  prove(oldSize: number, size: number): Promise<readonly Uint8Array[]>;
}

/** What an anchor knows of a log: a signed note; or no more than the size of a head that the log does not lead to. */
export type KeptHead = { readonly note: string } | { readonly size: number };

export interface Anchor {
  /** For messages: `file /mnt/worm/my-agent.checkpoints`. */
  readonly name: string;
  /** What `kept` answers is of the log that was asked for, and of no other. */
  readonly ofOneLog?: boolean;
  /**
   * Resolves when the checkpoint is kept there, with the note as it should be kept elsewhere too: a witness adds its line.
   * @throws whatever went wrong; it is tried again with the next checkpoint.
   */
  publish(checkpoint: AnchoredCheckpoint): Promise<string>;
  /**
   * What was last kept there, newest first, where it can be read back: a log that is behind it was restored or cut.
   * @throws whatever went wrong.
   */
  kept?(log: OwnLog): Promise<readonly KeptHead[]>;
}

/** A checkpoint as one line among others: standard output, syslog, any collector of lines. */
export function checkpointLine(note: string): string {
  return JSON.stringify({ saferun_checkpoint: note });
}

const LINE = /\{"saferun_checkpoint":"(?:[^"\\]|\\.)*"\}/g;

/** The notes in what an anchor has kept: one after another, or in lines of a log. Undefined where there is none. */
export function notesOfAnchor(text: string): readonly string[] | undefined {
  const lines = [...text.matchAll(LINE)].map(
    ([line]) => (JSON.parse(line) as { saferun_checkpoint: string }).saferun_checkpoint,
  );
  const notes = lines.length > 0 ? lines : splitNotes(text);
  return notes === undefined || notes.length === 0 ? undefined : notes;
}
