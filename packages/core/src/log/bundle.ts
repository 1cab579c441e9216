/**
 * An evidence bundle: a run's entries with their content, the proof that each stands in the log, and the signed checkpoint
 * that the proofs lead to. Lines of JSON, verified offline by whoever kept the public key. Its own module with the verifier:
 * nothing of policies, approvals or calls.
 */
import { SafeRunError } from "../errors.ts";
import type { Hash, Verifier } from "../ports.ts";
import { fromBase64, isHexOf, toBase64 } from "../value/bytes.ts";
import { type NoteKey, parseNoteKey } from "./checkpoint.ts";
import { type ExportedEntry, formatExportLine, parseExportLine } from "./export.ts";
import { createFaults, type LogFault } from "./fault.ts";
import { type EntryHeader, parseHeader } from "./header.ts";
import { partCommitment } from "./part.ts";
import { verifyInclusion } from "./proof.ts";
import { signedCheckpoint } from "./proof-file.ts";
import { leafHash } from "./tree.ts";

const FORMAT = "evidence-bundle/v1";

export interface BundledEntry {
  readonly entry: ExportedEntry;
  /** RFC 6962 inclusion path to the root of the checkpoint. */
  readonly path: readonly Uint8Array[];
}

export interface Bundle {
  readonly log: string;
  readonly run: string;
  /** The public key that the log claims; null where it names none. */
  readonly key: string | null;
  /** A signed note over the tree's head. */
  readonly note: string;
  readonly entries: readonly BundledEntry[];
}

/** `verified` only against a key that the asker kept; with the bundle's own it is `self-consistent`. */
export interface BundleCheck {
  readonly status: "verified" | "self-consistent" | "faulty";
  readonly log: string | null;
  readonly run: string | null;
  readonly entries: number;
  /** Parts that were erased from the log: their bytes are not here, and nothing can be said of them. */
  readonly erased: number;
  /** The key whose signature was found; null: none. */
  readonly key: string | null;
  /** Entries under the checkpoint. */
  readonly size: number | null;
  readonly faults: readonly LogFault[];
}

/** With a line break behind each line. */
export function formatBundle({ log, run, key, note, entries }: Bundle): string {
  const lines = [
    JSON.stringify({ saferun: FORMAT, log, run, key, note }),
    ...entries.flatMap(({ entry, path }) => [
      formatExportLine({ kind: "entry", entry }),
      JSON.stringify({ proof: { seq: entry.seq, path: path.map(toBase64) } }),
    ]),
    JSON.stringify({ end: { entries: entries.length } }),
  ];
  return `${lines.join("\n")}\n`;
}

export function isBundle(text: string): boolean {
  return text.startsWith(`{"saferun":"${FORMAT}"`);
}

/**
 * Offline, and total: whatever is wrong with the text is a fault. Shown is that these are entries 0 to n of the run, without
 * a gap, as they stand in the log under the checkpoint; not that none followed.
 *
 * @param pinned The public key that the asker kept elsewhere.
 */
export function verifyBundle(
  text: string,
  ports: { readonly hash: Hash; readonly verifier: Verifier },
  pinned?: string,
): BundleCheck {
  const faults = createFaults();
  let bundle: Bundle | undefined;
  try {
    bundle = parseBundle(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : "it cannot be read";
    faults.add({ seq: 0, fault: "changed", where: "file", message });
  }
  if (bundle === undefined) {
    const nothing = { log: null, run: null, entries: 0, erased: 0, key: null, size: null };
    return { status: "faulty", ...nothing, faults: faults.list };
  }
  const key = keyOf(pinned ?? bundle.key, ports.hash);
  const checkpoint = key === undefined ? undefined : signedCheckpoint(bundle.note, key, ports.verifier);
  if (checkpoint === undefined) {
    const whose = pinned === undefined ? "the key that it names" : "the key given";
    faults.add({
      seq: 0,
      fault: "bad-signature",
      where: "checkpoint",
      message: `the checkpoint is not signed by ${whose}`,
    });
  }
  let before: Uint8Array | null = null;
  let erased = 0;
  for (const [number, { entry, path }] of bundle.entries.entries()) {
    const leaf = leafHash(entry.header, ports.hash);
    erased += checkEntry(entry, bundle, { number, before }, ports.hash, faults.add);
    if (checkpoint !== undefined) {
      const { size, root } = checkpoint;
      if (!verifyInclusion({ index: entry.seq, size, leaf, root, path }, ports.hash)) {
        const message = `this is not what the checkpoint over ${size} entries signs`;
        faults.add({ seq: entry.seq, fault: "changed", where: "proof", message });
      }
    }
    before = leaf;
  }
  if (bundle.entries.length === 0)
    faults.add({ seq: 0, fault: "missing", where: "entries", message: "it holds no entry" });
  const sound = faults.list.length === 0 ? (pinned === undefined ? "self-consistent" : "verified") : "faulty";
  return {
    status: sound,
    log: bundle.log,
    run: bundle.run,
    entries: bundle.entries.length,
    erased,
    key: checkpoint === undefined ? null : (pinned ?? bundle.key),
    size: checkpoint?.size ?? null,
    faults: faults.list,
  };
}

/** @returns how many of its parts were erased. */
function checkEntry(
  { seq, header: bytes, parts }: ExportedEntry,
  { log, run }: Bundle,
  place: { readonly number: number; readonly before: Uint8Array | null },
  hash: Hash,
  fault: (fault: LogFault) => void,
): number {
  let header: EntryHeader;
  try {
    header = parseHeader(bytes);
  } catch {
    fault({ seq, fault: "changed", where: "header", message: "the header is none" });
    return 0;
  }
  const { number, before } = place;
  const link = header.run;
  if (header.log !== log || link?.id !== run) {
    fault({ seq, fault: "inserted", where: "run", message: "an entry of another run or log" });
  } else if (link.n !== number) {
    const message = `entry ${link.n} of the run stands where entry ${number} belongs`;
    fault({ seq, fault: link.n > number ? "missing" : "reordered", where: "run", message });
  } else if (before === null ? link.prev !== null : link.prev === null || !isHexOf(link.prev, before)) {
    fault({ seq, fault: "changed", where: "run", message: "the run's entry before it is another one" });
  }
  const commitments = new Map(Object.entries(header.parts ?? {}));
  let erased = 0;
  for (const { name, salt, bytes: content } of parts) {
    const commitment = commitments.get(name);
    commitments.delete(name);
    if (commitment === undefined)
      fault({ seq, fault: "inserted", where: name, message: "the header knows no such part" });
    else if (salt === null || content === null) erased += 1;
    else if (!isHexOf(commitment, partCommitment({ name, salt, bytes: content }, hash))) {
      fault({ seq, fault: "changed", where: name, message: "the part is not the one that the header commits to" });
    }
  }
  for (const name of commitments.keys()) fault({ seq, fault: "missing", where: name, message: "the part is missing" });
  return erased;
}

function keyOf(text: string | null, hash: Hash): NoteKey | undefined {
  if (text === null) return undefined;
  try {
    return parseNoteKey(text.trim(), hash);
  } catch {
    return undefined;
  }
}

function parseBundle(text: string): Bundle {
  const [first = "", ...rest] = text.split("\n");
  if (rest.pop() !== "") throw malformed("it was cut short");
  const head = objectOf(first);
  const { saferun, log, run, key, note } = head;
  const named = typeof log === "string" && typeof run === "string" && typeof note === "string";
  if (saferun !== FORMAT || !named || (key !== null && typeof key !== "string"))
    throw malformed("its first line is none");
  const end = objectOf(rest.pop() ?? "").end;
  const entries: BundledEntry[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    const line = parseExportLine(rest[at] ?? "");
    if (line.kind !== "entry") throw malformed("an entry is expected in each second line");
    const proof = objectOf(rest[at + 1] ?? "").proof;
    const { seq, path } = isMap(proof) ? proof : {};
    if (seq !== line.entry.seq || !Array.isArray(path)) throw malformed(`entry ${line.entry.seq} has no proof`);
    const hashes = path.flatMap((one: unknown) => (typeof one === "string" ? (fromBase64(one) ?? []) : []));
    if (hashes.length !== path.length || hashes.some((one) => one.length !== 32))
      throw malformed("a proof without hashes");
    entries.push({ entry: line.entry, path: hashes });
  }
  if (!isMap(end) || end.entries !== entries.length) throw malformed("its end counts other entries");
  return { log, run, key, note, entries };
}

function objectOf(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw malformed("a line is no JSON");
  }
  if (!isMap(value)) throw malformed("a line is no object");
  return value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(what: string): SafeRunError {
  return new SafeRunError("log.malformed", `this is no evidence bundle: ${what}`);
}
