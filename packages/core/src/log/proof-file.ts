/**
 * Proofs as files that verify offline with nothing but the log's public key.
 * - inclusion of an entry: C2SP `tlog-proof`, with the entry's header as its extra data
 * - consistency of two checkpoints: the proof's hashes, then both signed notes
 */

import type { Hash, Verifier } from "../ports.ts";
import { fromBase64, toBase64 } from "../value/bytes.ts";
import { type Checkpoint, isSignedBy, type NoteKey, parseCheckpoint, parseNote } from "./checkpoint.ts";
import { MOST_HASHES, verifyConsistency, verifyInclusion } from "./proof.ts";
import { leafHash } from "./tree.ts";

export const INCLUSION_FILE = "c2sp.org/tlog-proof@v1";
export const CONSISTENCY_FILE = "saferun/consistency/v1";

export interface InclusionFile {
  /** Position of the entry. */
  readonly index: number;
  /** The entry's header, as hashed. */
  readonly header: Uint8Array;
  /** From the leaf's sibling up to the root's child. */
  readonly path: readonly Uint8Array[];
  /** The signed checkpoint that the path leads to. */
  readonly note: string;
}

export interface ConsistencyFile {
  readonly path: readonly Uint8Array[];
  readonly oldNote: string;
  readonly note: string;
}

/** Why a proof proves nothing, in words; or what it proves. */
export type ProofResult =
  | { readonly ok: true; readonly checkpoint: Checkpoint; readonly old?: Checkpoint }
  | { readonly ok: false; readonly reason: string };

export interface ProofPorts {
  readonly hash: Hash;
  readonly verifier: Verifier;
}

export function formatInclusion({ index, header, path, note }: InclusionFile): string {
  return `${[INCLUSION_FILE, `extra ${toBase64(header)}`, `index ${index}`, ...path.map(toBase64)].join("\n")}\n\n${note}`;
}

/** Undefined for any other text. */
export function parseInclusion(text: string): InclusionFile | undefined {
  const [head, note] = cut(text);
  const [kind, extra = "", position = "", ...hashes] = head.split("\n");
  if (kind !== INCLUSION_FILE || note === undefined) return undefined;
  const header = extra.startsWith("extra ") ? fromBase64(extra.slice(6)) : undefined;
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(position)?.[1];
  const path = hashesOf(hashes);
  if (header === undefined || index === undefined || path === undefined) return undefined;
  return { index: Number(index), header, path, note };
}

export function formatConsistency({ path, oldNote, note }: ConsistencyFile): string {
  return `${[CONSISTENCY_FILE, ...path.map(toBase64)].join("\n")}\n\n${oldNote}\n${note}`;
}

/** Undefined for any other text. */
export function parseConsistency(text: string): ConsistencyFile | undefined {
  const [head, notes] = cut(text);
  const [kind, ...hashes] = head.split("\n");
  const path = hashesOf(hashes);
  // A checkpoint's text has no empty line: body, signatures, body, signatures.
  const pieces = notes?.split("\n\n") ?? [];
  const [oldBody, oldSignatures, body, signatures] = pieces;
  if (kind !== CONSISTENCY_FILE || path === undefined || pieces.length !== 4) return undefined;
  return { path, oldNote: `${oldBody}\n\n${oldSignatures}\n`, note: `${body}\n\n${signatures}` };
}

/** True only where the key has signed a tree that holds this header at this position. */
export function checkInclusion(proof: InclusionFile, key: NoteKey, { hash, verifier }: ProofPorts): ProofResult {
  const checkpoint = signedCheckpoint(proof.note, key, verifier);
  if (checkpoint === undefined) return unsigned(key);
  const { size, root } = checkpoint;
  const { index, path } = proof;
  const included = verifyInclusion({ index, size, leaf: leafHash(proof.header, hash), root, path }, hash);
  if (!included) return { ok: false, reason: `entry ${index} is not what the checkpoint over ${size} entries signs` };
  return { ok: true, checkpoint };
}

/** True only where the key has signed both trees and the newer begins with the older. */
export function checkConsistency(proof: ConsistencyFile, key: NoteKey, ports: ProofPorts): ProofResult {
  const old = signedCheckpoint(proof.oldNote, key, ports.verifier);
  const checkpoint = signedCheckpoint(proof.note, key, ports.verifier);
  if (old === undefined || checkpoint === undefined) return unsigned(key);
  const { size, root } = checkpoint;
  const grown = { oldSize: old.size, oldRoot: old.root, size, root, path: proof.path };
  if (!verifyConsistency(grown, ports.hash)) {
    return { ok: false, reason: `the log of ${size} entries does not begin with the one of ${old.size}` };
  }
  return { ok: true, checkpoint, old };
}

/** The checkpoint that a note signs under this key's own name; undefined for any other. */
export function signedCheckpoint(text: string, key: NoteKey, verifier: Verifier): Checkpoint | undefined {
  const note = parseNote(text);
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text);
  if (note === undefined || checkpoint?.origin !== key.name || !isSignedBy(note, key, verifier)) return undefined;
  return checkpoint;
}

function unsigned(key: NoteKey): ProofResult {
  return { ok: false, reason: `the checkpoint is not signed by \`${key.name}\` with the key given` };
}

/** At the first empty line. */
function cut(text: string): [head: string, rest: string | undefined] {
  const at = text.indexOf("\n\n");
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 2)];
}

function hashesOf(lines: readonly string[]): Uint8Array[] | undefined {
  const hashes = lines.map(fromBase64);
  const whole = hashes.filter((hash) => hash?.length === 32).filter((hash) => hash !== undefined);
  return whole.length === lines.length && lines.length <= MOST_HASHES ? whole : undefined;
}
