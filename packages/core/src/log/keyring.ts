/** The keys that a verifier believes: the one it was given, and those that rotations in the log lead to and from. */

import type { Verifier } from "../ports.ts";
import { equalBytes } from "../value/bytes.ts";
import { formatNoteKey, isSignedBy, type Note, type NoteKey } from "./checkpoint.ts";
import type { Rotation } from "./rotation.ts";

/** A key and the entries that it signs. */
export interface SigningPeriod {
  /** `NAME+ID+BASE64`. */
  readonly key: string;
  /** Size of the log when it began to sign. */
  readonly from: number;
  /** Size up to which it is believed; null for the key in use. */
  readonly upTo: number | null;
}

export interface Keyring {
  /** True where nobody can have signed anything: no key was given. */
  readonly isEmpty: boolean;
  /** The name that every key and every checkpoint of this log has. */
  readonly origin: string | undefined;
  /** Which believed key has signed a head of this size; undefined for none. */
  signerOf(note: Note, size: number): NoteKey | undefined;
  /** Moves on to the next key; false where the old one is not the key in use. */
  rotate(rotation: Rotation, seq: number): boolean;
  /** True for the pinned key and for those that rotations from it lead to. */
  isProven(key: NoteKey): boolean;
  periods(): readonly SigningPeriod[];
}

interface Period {
  readonly key: NoteKey;
  readonly from: number;
  upTo: number;
}

/** `pinned`: what the asker kept; `claimed`: what the log says of itself, believed only to follow rotations from it. */
export function createKeyring(
  { pinned, claimed }: { readonly pinned: NoteKey | undefined; readonly claimed: NoteKey | undefined },
  verifier: Verifier,
): Keyring {
  const first = claimed ?? pinned;
  const chain: Period[] = first === undefined ? [] : [{ key: first, from: 0, upTo: Number.POSITIVE_INFINITY }];
  const indexOf = (key: NoteKey): number => chain.findIndex((period) => isSame(period.key, key));

  return {
    isEmpty: first === undefined,
    origin: (pinned ?? first)?.name,
    signerOf(note, size) {
      const periods = chain.filter(({ from, upTo }) => size > from && size <= upTo).map(({ key }) => key);
      const outside = pinned !== undefined && indexOf(pinned) === -1 ? [pinned] : [];
      return [...periods, ...outside].find((key) => isSignedBy(note, key, verifier));
    },
    rotate({ from, to, believed }, seq) {
      const last = chain.at(-1);
      const isNext = last !== undefined && isSame(last.key, from);
      // Where the log's own first key was changed, the pinned one still leads on.
      const isPinned = pinned !== undefined && isSame(pinned, from) && indexOf(pinned) === -1;
      if ((!isNext && !isPinned) || indexOf(to) !== -1 || believed.size > seq) return false;
      if (isNext) last.upTo = believed.size;
      else chain.splice(0, chain.length, { key: from, from: 0, upTo: believed.size });
      chain.push({ key: to, from: seq, upTo: Number.POSITIVE_INFINITY });
      return true;
    },
    isProven(key) {
      if (pinned === undefined) return false;
      const start = indexOf(pinned);
      return start === -1 ? isSame(pinned, key) : indexOf(key) >= start;
    },
    periods: () =>
      chain.map(({ key, from, upTo }) => ({
        key: formatNoteKey(key),
        from,
        upTo: upTo === Number.POSITIVE_INFINITY ? null : upTo,
      })),
  };
}

function isSame(left: NoteKey, right: NoteKey): boolean {
  return left.name === right.name && equalBytes(left.key, right.key);
}
