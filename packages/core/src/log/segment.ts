/**
 * An archived stretch of the log as lines of JSON, which verify alone: what stands before it, its entries and checkpoints as
 * in an export, a proof that a signed head begins with it, and a seal over all of these lines.
 *
 * The seal signs the root of a tree over the lines (RFC 6962, a line's bytes without its break as a leaf), so that the file
 * may be compressed in any way and read line by line.
 */
import { SafeRunError } from "../errors.ts";
import type { Hash, Signer, Verifier } from "../ports.ts";
import { equalBytes, fromBase64, toBase64 } from "../value/bytes.ts";
import { type ArchiveBase, baseJson, type NotedRotation, parseBase } from "./archive-base.ts";
import { isSignedBy, type NoteKey, parseCheckpoint, parseNote, parseNoteKey, signNote } from "./checkpoint.ts";
import type { StoredEntry } from "./entry.ts";
import { oneLine, parseExportLine } from "./export.ts";
import type { LogFault } from "./fault.ts";
import { verifyConsistency } from "./proof.ts";
import { parseRotation } from "./rotation.ts";
import { createTreeBuilder, leafHash, treeRoot } from "./tree.ts";
import { type Verification, verifyLog } from "./verify.ts";

const FORMAT = "log-archive/v1";
const SEAL = "saferun/archive/v1";

export interface SegmentHead {
  readonly log: string;
  /** Position behind the last entry; the first is `base.size`. */
  readonly to: number;
  readonly base: ArchiveBase;
  /** Every change of the signing key that the log knew of when this was archived. */
  readonly rotations: readonly NotedRotation[];
  /** The public key of the seal. */
  readonly key: string;
}

export interface SegmentProof {
  /** That the head in `note` begins with the tree of `to` entries. */
  readonly path: readonly Uint8Array[];
  readonly note: string;
}

export function formatSegmentHead({ log, to, base, rotations, key }: SegmentHead): string {
  return oneLine(JSON.stringify({ saferun: FORMAT, log, to, base: baseJson(base), rotations, key }));
}

export function formatSegmentProof({ path, note }: SegmentProof): string {
  return JSON.stringify({ proof: { path: path.map(toBase64), note } });
}

export function formatSeal(note: string): string {
  return JSON.stringify({ seal: note });
}

export interface Sealed {
  readonly log: string;
  readonly from: number;
  readonly to: number;
  /** Root over the lines before the seal, base64. */
  readonly lines: string;
}

export function signSeal({ log, from, to, lines }: Sealed, signer: Signer, hash: Hash): string {
  return signNote(`${SEAL}\n${log}\n${from}\n${to}\n${lines}\n`, [signer], hash);
}

/** The root over lines, each without its break. */
export function createLinesRoot(hash: Hash): { add(line: string): void; root(): string } {
  const builder = createTreeBuilder(hash);
  return {
    add: (line) => builder.append(leafHash(encoder.encode(line), hash)),
    root: () => toBase64(treeRoot(builder.tree(), hash)),
  };
}

const encoder = new TextEncoder();

/** The lines of a segment from its first on; called once for each reading. */
export type SegmentLines = () => AsyncIterable<string>;

/** @throws SafeRunError `log.malformed` when the first line is not that of an archive. */
export async function readSegmentHead(lines: SegmentLines): Promise<SegmentHead> {
  for await (const line of lines()) return segmentHead(line);
  throw malformed("no line");
}

/** The entries alone, without a check. @throws SafeRunError `log.malformed`. */
export async function* segmentEntries(lines: SegmentLines, hash: Hash): AsyncGenerator<StoredEntry> {
  for await (const text of lines()) {
    if (!text.startsWith('{"seq":')) continue;
    const line = parseExportLine(text);
    if (line.kind === "entry") yield { ...line.entry, leaf: leafHash(line.entry.header, hash) };
  }
}

export interface SegmentVerification
  extends Pick<Verification, "status" | "faults" | "signedAt" | "archived" | "root"> {
  readonly log: string;
  readonly from: number;
  readonly to: number;
  /** Root over its lines, as the log's entry names it. */
  readonly lines: string;
  /** Parts whose content was erased before it was archived. */
  readonly erased: number;
  /** The key that has sealed it. */
  readonly key: string;
}

export interface SegmentOptions {
  readonly hash: Hash;
  readonly verifier: Verifier;
  /** The public key that the asker kept. Only with it the answer can be `verified`. */
  readonly pinned?: string;
}

/**
 * Reads a segment and answers what of it is proven.
 * @throws SafeRunError `log.malformed` where it is none; `option.invalid` for a key that is none.
 */
export async function verifySegment(lines: SegmentLines, options: SegmentOptions): Promise<SegmentVerification> {
  const { hash, verifier } = options;
  const head = await readSegmentHead(lines);
  const { log, to, base } = head;
  const from = base.size;
  const pinned = options.pinned === undefined ? undefined : parseNoteKey(options.pinned, hash);
  const rest = await readRest(lines, hash);
  let erased = 0;
  const found = await verifyLog(
    {
      log,
      isSegment: true,
      base: async () => base,
      entries: () => segmentEntries(lines, hash),
      async *checkpoints() {
        for await (const text of lines()) {
          const line = text.startsWith('{"checkpoint"') ? parseExportLine(text) : undefined;
          if (line?.kind === "checkpoint") yield line;
        }
      },
    },
    {
      hash,
      verifier,
      erasedElsewhere: true,
      see: ({ parts }) => {
        erased += parts.filter(({ bytes }) => bytes === null).length;
      },
    },
  );
  const faults: LogFault[] = [...found.faults];
  const add = (seq: number, fault: LogFault["fault"], where: string, message: string): void => {
    faults.push({ seq, fault, where, message });
  };
  if (found.size !== to || rest.entries !== to - from) {
    add(
      found.size,
      "truncated",
      "end",
      `the archive says that it ends before entry ${to}, it ends before ${found.size}`,
    );
  }
  const key = sealingKey(head, hash);
  const sealed = { log, from, to, lines: rest.lines };
  if (key === undefined || !isSealed(rest.seal, sealed, key, verifier)) {
    add(
      from,
      "bad-signature",
      "seal",
      "the seal is not its key's over these lines: a line was changed, added or removed",
    );
  } else if (pinned !== undefined && !leadsTo(pinned, key, head, options)) {
    add(from, "bad-signature", "seal", "the seal is not of the key given, or of one that it was changed to");
  }
  if (!isProven(rest.proof, found, key, options)) {
    add(to, "forked", "proof", "the proof does not show that a signed head of the log begins with these entries");
  }
  const status = faults.length > 0 ? "faulty" : pinned === undefined ? "self-consistent" : "verified";
  const { signedAt, archived, root } = found;
  const at = signedAt === undefined ? {} : { signedAt };
  return { status, faults, ...at, archived, root, log, from, to, lines: rest.lines, erased, key: head.key };
}

interface Rest {
  readonly lines: string;
  readonly entries: number;
  readonly proof: SegmentProof | undefined;
  readonly seal: string | undefined;
}

/** What stands behind the entries, and the root over all lines. */
async function readRest(lines: SegmentLines, hash: Hash): Promise<Rest> {
  const root = createLinesRoot(hash);
  let [entries, proof, seal]: [number, SegmentProof | undefined, string | undefined] = [-1, undefined, undefined];
  for await (const line of lines()) {
    if (seal !== undefined) {
      // Nothing stands behind the seal: with a line there it is none.
      seal = "";
      continue;
    }
    if (line.startsWith('{"seal"')) {
      seal = textIn(line, "seal") ?? "";
      continue;
    }
    root.add(line);
    if (line.startsWith('{"proof"')) proof = proofIn(line);
    if (line.startsWith('{"end"')) {
      const end = parseExportLine(line);
      entries = end.kind === "end" ? end.entries : -1;
    }
  }
  return { lines: root.root(), entries, proof, seal };
}

function isSealed(note: string | undefined, sealed: Sealed, key: NoteKey, verifier: Verifier): boolean {
  const parsed = note === undefined ? undefined : parseNote(note);
  const { log, from, to, lines } = sealed;
  return parsed?.text === `${SEAL}\n${log}\n${from}\n${to}\n${lines}\n` && isSignedBy(parsed, key, verifier);
}

function isProven(
  proof: SegmentProof | undefined,
  { size, root }: Verification,
  key: NoteKey | undefined,
  { hash, verifier }: SegmentOptions,
): boolean {
  const note = proof === undefined ? undefined : parseNote(proof.note);
  const signed = note === undefined ? undefined : parseCheckpoint(note.text);
  if (proof === undefined || note === undefined || signed === undefined || key === undefined) return false;
  if (signed.origin !== key.name || !isSignedBy(note, key, verifier)) return false;
  return verifyConsistency(
    { oldSize: size, oldRoot: root, size: signed.size, root: signed.root, path: proof.path },
    hash,
  );
}

/** True where the key given is the seal's, or was changed to it by keys that each signed the next. */
function leadsTo(pinned: NoteKey, seal: NoteKey, head: SegmentHead, { hash, verifier }: SegmentOptions): boolean {
  const isSame = (left: NoteKey, right: NoteKey): boolean =>
    left.name === right.name && equalBytes(left.key, right.key);
  let key = pinned;
  for (const { note } of head.rotations) {
    if (isSame(key, seal)) return true;
    const rotation = parseRotation(note, hash, verifier);
    if (rotation?.log === head.log && isSame(rotation.from, key)) key = rotation.to;
  }
  return isSame(key, seal);
}

function sealingKey({ key }: SegmentHead, hash: Hash): NoteKey | undefined {
  try {
    return parseNoteKey(key, hash);
  } catch {
    return undefined;
  }
}

function segmentHead(line: string): SegmentHead {
  const value = jsonIn(line);
  const { saferun, log, to, rotations, key } = value;
  const base = parseBase(value.base);
  if (saferun !== FORMAT) throw malformed(`no \`${FORMAT}\`: the first line of an archive says what it is`);
  if (typeof log !== "string" || !isPosition(to) || typeof key !== "string" || base === undefined || to < base.size) {
    throw malformed("a first line without log, to, base, rotations and key");
  }
  if (!Array.isArray(rotations) || !rotations.every(isRotation)) throw malformed("a first line without rotations");
  return { log, to, base, rotations, key };
}

function isRotation(value: unknown): value is NotedRotation {
  const { seq, note } = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  return isPosition(seq) && typeof note === "string";
}

function proofIn(line: string): SegmentProof | undefined {
  const { proof } = jsonIn(line);
  if (typeof proof !== "object" || proof === null) return undefined;
  const { path, note } = proof as Record<string, unknown>;
  if (typeof note !== "string" || !Array.isArray(path)) return undefined;
  const hashes = path.flatMap((hash) => (typeof hash === "string" ? (fromBase64(hash) ?? []) : []));
  return hashes.length === path.length ? { path: hashes, note } : undefined;
}

function textIn(line: string, name: string): string | undefined {
  const value = jsonIn(line)[name];
  return typeof value === "string" ? value : undefined;
}

function jsonIn(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw malformed("a line that is no JSON", cause);
  }
  throw malformed("a line that is no object");
}

function isPosition(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function malformed(what: string, cause?: unknown): SafeRunError {
  return new SafeRunError("log.malformed", `an archive with ${what}`, cause === undefined ? {} : { cause });
}
