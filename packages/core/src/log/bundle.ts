/**
 * An evidence bundle: a run's entries with their content, the proof that each stands in the log, and the signed checkpoint
 * that the proofs lead to. Lines of JSON, verified offline by whoever kept the public key. Its own module with the verifier:
 * nothing of policies, approvals or calls.
 */
import { SafeRunError } from "../errors.ts";
import type { Hash } from "../ports.ts";
import { isHexOf } from "../value/bytes.ts";
import { parseRotations, rotationsJson } from "./archive-base.ts";
import { formatNoteKey } from "./checkpoint.ts";
import { type ExportedEntry, formatExportLine, parseExportLine } from "./export.ts";
import { createFaults, type LogFault } from "./fault.ts";
import {
  type ClaimedHead,
  checkContent,
  checkFileHead,
  checkInTree,
  noteKeyIn,
  type SignedFileHead,
} from "./file-check.ts";
import { type EntryHeader, parseHeader } from "./header.ts";
import type { ProofPorts } from "./proof-file.ts";
import { leafHash } from "./tree.ts";

const FORMAT = "evidence-bundle/v1";

export interface BundledEntry {
  readonly entry: ExportedEntry;
  /** RFC 6962 inclusion path to the root of the checkpoint. */
  readonly path: readonly Uint8Array[];
}

export interface Bundle extends ClaimedHead {
  readonly run: string;
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
export function formatBundle({ log, run, key, note, rotations, entries }: Bundle): string {
  const lines = [
    JSON.stringify({ saferun: FORMAT, log, run, key, note, ...rotationsJson(rotations) }),
    ...entries.flatMap(({ entry, path }) => [
      formatExportLine({ kind: "entry", entry }),
      formatExportLine({ kind: "proof", seq: entry.seq, path }),
    ]),
    formatExportLine({ kind: "end", entries: entries.length }),
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
export function verifyBundle(text: string, ports: ProofPorts, pinned?: string): BundleCheck {
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
  const checkpoint = signedHead(bundle, pinned, ports, faults.add);
  let before: Uint8Array | null = null;
  let erased = 0;
  for (const [number, { entry, path }] of bundle.entries.entries()) {
    erased += checkEntry(entry, bundle, { number, before }, ports.hash, faults.add);
    const leaf = leafHash(entry.header, ports.hash);
    if (checkpoint !== undefined) checkInTree(entry, leaf, path, checkpoint, ports.hash, faults.add);
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
    key: checkpoint === undefined ? null : formatNoteKey(checkpoint.signer),
    size: checkpoint?.size ?? null,
    faults: faults.list,
  };
}

/** @returns how many of its parts were erased. */
function checkEntry(
  entry: ExportedEntry,
  { log, run }: Bundle,
  place: { readonly number: number; readonly before: Uint8Array | null },
  hash: Hash,
  fault: (fault: LogFault) => void,
): number {
  const { seq } = entry;
  let header: EntryHeader;
  try {
    header = parseHeader(entry.header);
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
  return checkContent(entry, header, hash, fault);
}

/** A text in the place of the key that the asker kept is no key that has signed. */
function signedHead(
  bundle: Bundle,
  pinned: string | undefined,
  ports: ProofPorts,
  fault: (fault: LogFault) => void,
): SignedFileHead | undefined {
  const key = pinned === undefined ? undefined : noteKeyIn(pinned, ports.hash);
  if (pinned === undefined || key !== undefined) return checkFileHead(bundle, key, ports, fault);
  fault({ seq: 0, fault: "bad-signature", where: "checkpoint", message: "the key given is no public key" });
  return undefined;
}

function parseBundle(text: string): Bundle {
  const [first = "", ...rest] = text.split("\n");
  if (rest.pop() !== "") throw malformed("it was cut short");
  const head = objectOf(first);
  const { saferun, log, run, key, note } = head;
  const rotations = parseRotations(head.rotations);
  const named = typeof log === "string" && typeof run === "string" && typeof note === "string";
  if (saferun !== FORMAT || !named || rotations === undefined || (key !== null && typeof key !== "string"))
    throw malformed("its first line is none");
  const end = objectOf(rest.pop() ?? "").end;
  const entries: BundledEntry[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    const line = parseExportLine(rest[at] ?? "");
    if (line.kind !== "entry") throw malformed("an entry is expected in each second line");
    const proof = rest[at + 1] === undefined ? undefined : parseExportLine(rest[at + 1] ?? "");
    if (proof?.kind !== "proof" || proof.seq !== line.entry.seq)
      throw malformed(`entry ${line.entry.seq} has no proof`);
    entries.push({ entry: line.entry, path: proof.path });
  }
  if (!isMap(end) || end.entries !== entries.length) throw malformed("its end counts other entries");
  return { log, run, key, note, rotations, entries };
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
