/**
 * C2SP `tlog-witness`: cosigns a log's checkpoint only where the log grew out of the one that was cosigned before.
 *
 * Pure: one request and what is remembered of its log → the answer, and what to remember before it is sent.
 */

import type { Hash, Signer, TreeHead, Verifier } from "../ports.ts";
import { equalBytes, fromBase64, toBase64 } from "../value/bytes.ts";
import { isSignedBy, type NoteKey, parseCheckpoint, parseNote } from "./checkpoint.ts";
import { cosign } from "./cosignature.ts";
import { verifyConsistency } from "./proof.ts";

/** What a witness knows of one log. */
export interface WitnessedLog {
  /** Keys that may sign it. */
  readonly keys: readonly NoteKey[];
  /** The last head that was cosigned; null before the first. */
  readonly head: TreeHead | null;
}

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
  /** To be stored durably before a 200 is sent. */
  readonly remember?: TreeHead & { readonly origin: string };
}

export interface WitnessPorts {
  readonly hash: Hash;
  readonly verifier: Verifier;
  readonly signer: Signer;
  /** Seconds since 1970. */
  readonly seconds: number;
}

const TEXT = "text/plain; charset=utf-8";
const SIZE = "text/x.tlog.size";
/** Hashes in a consistency proof at most. */
const MOST_HASHES = 63;

/** The body of a request to `add-checkpoint`. */
export function addCheckpointBody(oldSize: number, path: readonly Uint8Array[], note: string): string {
  return `${[`old ${oldSize}`, ...path.map(toBase64)].join("\n")}\n\n${note}`;
}

/** Answers one `add-checkpoint`; `logOf` says what is known of an origin, undefined for a log that is not witnessed. */
export function addCheckpoint(
  body: string,
  logOf: (origin: string) => WitnessedLog | undefined,
  { hash, verifier, signer, seconds }: WitnessPorts,
): WitnessAnswer {
  const request = parseRequest(body);
  if (request === undefined) return refuse(400, "not an add-checkpoint request");
  const { oldSize, path, note, checkpoint } = request;
  const { origin, size, root } = checkpoint;
  const log = logOf(origin);
  if (log === undefined) return refuse(404, "this log is not witnessed here");
  if (!log.keys.some((key) => key.name === origin && isSignedBy(note, key, verifier))) {
    return refuse(403, "the checkpoint is not signed by a key of this log");
  }
  if (oldSize > size) return refuse(400, "the old size is larger than the checkpoint's");
  const known = log.head ?? { size: 0, root: null };
  if (oldSize !== known.size) return { status: 409, contentType: SIZE, body: `${known.size}\n` };
  if (known.root !== null && known.size > 0) {
    if (size === known.size && !equalBytes(root, known.root)) {
      return { status: 409, contentType: SIZE, body: `${known.size}\n` };
    }
    const grown = { oldSize, oldRoot: known.root, size, root, path };
    if (!verifyConsistency(grown, hash)) return refuse(422, "the log did not grow out of the one cosigned before");
  } else if (path.length > 0) {
    return refuse(422, "a proof from an empty log has no hashes");
  }
  const line = cosign(note.text, seconds, signer, hash);
  return { status: 200, contentType: TEXT, body: line, remember: { origin, size, root } };
}

function refuse(status: 400 | 403 | 404 | 422, why: string): WitnessAnswer {
  return { status, contentType: TEXT, body: `${why}\n` };
}

function parseRequest(body: string) {
  const end = body.indexOf("\n\n");
  if (end === -1) return undefined;
  const [first = "", ...lines] = body.slice(0, end).split("\n");
  const [, old] = /^old (0|[1-9][0-9]{0,14})$/.exec(first) ?? [];
  const path = lines.map(fromBase64);
  const note = parseNote(body.slice(end + 2));
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text);
  if (old === undefined || note === undefined || checkpoint === undefined || path.length > MOST_HASHES)
    return undefined;
  const hashes = path.filter((hash) => hash?.length === 32).filter((hash) => hash !== undefined);
  return hashes.length === path.length ? { oldSize: Number(old), path: hashes, note, checkpoint } : undefined;
}
