/** The heads that were signed, each held against the tree when it has that size. */

import type { Hash } from "../ports.ts";
import { equalBytes } from "../value/bytes.ts";
import { type Checkpoint, type Note, type NoteKey, parseCheckpoint, parseNote } from "./checkpoint.ts";
import type { Faults } from "./fault.ts";
import type { Keyring } from "./keyring.ts";
import type { Rotation } from "./rotation.ts";
import { type TreeBuilder, treeRoot } from "./tree.ts";

interface HeldHead {
  readonly checkpoint: Checkpoint;
  readonly key: NoteKey;
  /** Store time of the last entry under it, ms. */
  readonly signedAt?: number;
}

/** Where a checkpoint of the store itself is; any other comes from outside. */
export const STORED = "checkpoint";

export interface SignedHeads {
  /** `where`: `checkpoint` for the store's own, with the size that its row claims; `kept checkpoint` for one from outside. */
  add(text: string, where: string, row: number | undefined): void;
  /** To be called at each size that the tree goes through. */
  at(builder: TreeBuilder, time: number | undefined): void;
  /** False where the rotation is not from a head that the key in use has signed. */
  rotate(rotation: Rotation, seq: number): boolean;
  finish(size: number): void;
  /** The last head that holds under a believed key, and the last that the pinned key or its successors vouch for. */
  last(): { readonly held: HeldHead | undefined; readonly proven: HeldHead | undefined };
  /** Size of the largest head from outside that holds; 0 without one. */
  anchored(): number;
}

interface Due {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
  readonly where: string;
}

/** `from`: entries before it are archived, and what was signed over fewer is proven by the archive. */
export function createSignedHeads(keyring: Keyring, hash: Hash, faults: Faults, from = 0): SignedHeads {
  const due = new Map<number, Due[]>();
  /** Of all sizes that were signed and hold: what a rotation may name as still believed. */
  const held: HeldHead[] = [];
  let good = 0;
  let anchored = 0;

  function add(text: string, where: string, row: number | undefined): void {
    const note = parseNote(text);
    const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text);
    const at = { seq: row ?? checkpoint?.size ?? 0, where };
    if (note === undefined || checkpoint === undefined) {
      faults.add({ ...at, fault: "bad-signature", message: "a checkpoint that is no signed note" });
    } else if (row !== undefined && checkpoint.size !== row) {
      const message = `the checkpoint kept for size ${row} signs size ${checkpoint.size}`;
      faults.add({ ...at, fault: "changed", message });
    } else if (keyring.origin !== undefined && checkpoint.origin !== keyring.origin) {
      faults.add({ ...at, fault: "unlisted-tree", message: `a checkpoint of another log, \`${checkpoint.origin}\`` });
    } else if (checkpoint.size >= from) {
      due.set(checkpoint.size, [...(due.get(checkpoint.size) ?? []), { note, checkpoint, where }]);
    }
  }

  /** The keys that have signed; a head of a key that is not believed is a fault. Without any key nothing is asked. */
  function signers(found: readonly Due[]): NoteKey[] {
    if (keyring.isEmpty) return [];
    return found.flatMap(({ note, checkpoint, where }) => {
      const key = keyring.signerOf(note, checkpoint.size);
      if (key !== undefined) return key;
      const message = `the checkpoint over ${checkpoint.size} entries is not signed by a key that is believed for it`;
      faults.add({ seq: checkpoint.size, fault: "bad-signature", where, message });
      return [];
    });
  }

  function at(builder: TreeBuilder, time: number | undefined): void {
    const found = due.get(builder.size);
    if (found === undefined) return;
    due.delete(builder.size);
    const tree = builder.tree();
    const root = treeRoot(tree, hash);
    const keys = signers(found);
    if (found.some(({ checkpoint }) => !equalBytes(checkpoint.root, root))) {
      // A fault found before, or an earlier checkpoint that does not hold, explains this one.
      if (faults.list.length > 0) return;
      const message = `entries ${good} to ${tree.size - 1} are not those that the checkpoint over ${tree.size} signs`;
      faults.add({ seq: good, fault: "forked", where: "checkpoint", message });
      return;
    }
    good = tree.size;
    const [first] = found;
    // The proven one counts, where several have signed.
    const key = keys.find(keyring.isProven) ?? keys[0];
    // Without a key nobody has signed anything.
    if (first === undefined || key === undefined) return;
    if (found.some(({ where }) => where !== STORED)) anchored = tree.size;
    held.push({ checkpoint: first.checkpoint, key, ...(time === undefined ? {} : { signedAt: time }) });
  }

  return {
    add,
    at,
    rotate(rotation, seq) {
      const { size, root } = rotation.believed;
      const head = held.find(({ checkpoint }) => checkpoint.size === size);
      const isArchived = head === undefined && size < from;
      if (!isArchived && (head === undefined || !equalBytes(head.checkpoint.root, root))) return false;
      if (!keyring.rotate(rotation, seq)) return false;
      // Heads that the old key has signed since are believed no more.
      while (held.length > 0 && (held.at(-1)?.checkpoint.size ?? 0) > size) held.pop();
      return true;
    },
    finish(size) {
      for (const [signedSize, found] of due) {
        if (signedSize <= size) {
          const message = `the checkpoint over ${signedSize} entries stands behind a larger one`;
          faults.add({ seq: signedSize, fault: "reordered", where: "checkpoint", message });
        } else if (signers(found).length > 0 || keyring.isEmpty) {
          const message = `a checkpoint signs ${signedSize} entries, there are ${size}`;
          faults.add({ seq: size, fault: "truncated", where: "checkpoint", message });
        }
      }
    },
    anchored: () => anchored,
    last: () => ({ held: held.at(-1), proven: held.findLast(({ key }) => keyring.isProven(key)) }),
  };
}
