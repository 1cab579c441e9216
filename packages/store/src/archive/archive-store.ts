/**
 * Old entries out of the store, into files that prove them. File first, read back and verified; then one commit says where
 * they are and takes them out. Whoever dies in between leaves the store as it was, and at most a file that nobody names.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  type ArchivedSegment,
  type ArchivePlan,
  commitArchive,
  consistencyPath,
  createLinesRoot,
  createTreeNodes,
  formatExportLine,
  formatNoteKey,
  formatSeal,
  formatSegmentHead,
  formatSegmentProof,
  leafSource,
  type NotedRotation,
  noteKey,
  planArchive,
  SafeRunError,
  type Signer,
  type Store,
  signSeal,
  type TreeNodes,
  verifySegment,
} from "@saferun/core";
import { nodeVerifier } from "../node/file-signer.ts";
import { nodeClock, nodeHash, nodeRandom } from "../node/ports.ts";
import { rotationsToNow } from "../rotations.ts";
import {
  createSegmentWriter,
  linesOfSegment,
  removeUnfinished,
  type SegmentFile,
  segmentName,
  segmentsIn,
} from "./segment-file.ts";

export interface ArchiveOptions {
  /** The folder; each log has one of its own below it, named by its id. */
  readonly to: string;
  /** Entries of this time and later stay, ms. */
  readonly before: number;
  /** Who archives, as the log shall name them. */
  readonly by: string;
  readonly signer: Signer;
  /** Entries of one file, and of one commit. Default 2,000. */
  readonly segmentEntries?: number;
  /** Files of one run; what is left waits for the next. Default: all. */
  readonly segments?: number;
  /** Between two commits, ms: others write meanwhile. Default 0. */
  readonly pauseMs?: number;
  /** Told after each commit. */
  readonly onSegment?: (segment: ArchivedSegment) => void;
}

export interface ArchivedNow {
  readonly segments: readonly ArchivedSegment[];
  /** Why it went no further than it did, where something open did that. */
  readonly heldBy: string | undefined;
  /** It ended because `segments` were written. */
  readonly more: boolean;
}

/** A store whose head can be signed now. */
export type SigningStore = Store & { checkpoint(): Promise<void> };

const TRIES = 5;

/** @throws SafeRunError as the store does; `record.busy` where others write the same again and again. */
export async function archiveStore(store: SigningStore, options: ArchiveOptions): Promise<ArchivedNow> {
  const directory = join(options.to, store.logId);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  removeUnfinished(directory, nodeClock.now());
  const segments: ArchivedSegment[] = [];
  const most = options.segmentEntries ?? 2_000;
  const below = (await store.head()).size;
  const older = segmentsIn(directory);
  let known: Known | undefined;
  for (let tries = 0; segments.length < (options.segments ?? Number.POSITIVE_INFINITY); ) {
    const plan = await planArchive(store, { before: options.before, below, most }, nodeHash);
    if (plan.to === plan.base.size) return { segments, heldBy: plan.heldBy, more: false };
    if (segments.length > 0) await setTimeout(options.pauseMs ?? 0);
    known ??= await readLog(store, below);
    const segment = await writeSegment(store, plan, known, directory, options);
    if (await commitArchive(store, plan, segment, nodeRandom)) {
      removeUnnamed(older, segment);
      segments.push(segment);
      options.onSegment?.(segment);
      tries = 0;
      continue;
    }
    rmSync(join(directory, segment.file));
    if (++tries >= TRIES) {
      throw new SafeRunError("record.busy", "others changed what was to be archived, each time", { retryable: true });
    }
  }
  return { segments, heldBy: undefined, more: true };
}

/** What all files of one run rest on: reading it for each would read the whole log for each. */
interface Known {
  readonly checkpoints: readonly { readonly size: number; readonly note: string }[];
  /** The last of them, and the tree that it signs. */
  readonly note: string;
  readonly nodes: TreeNodes;
  readonly rotations: readonly NotedRotation[];
}

async function readLog(store: SigningStore, below: number): Promise<Known> {
  await store.checkpoint();
  const checkpoints = await store.checkpoints();
  const last = checkpoints.at(-1);
  if (last === undefined || last.size < below) {
    throw new SafeRunError("record.unavailable", "the log's head could not be signed: nothing is archived unsigned");
  }
  const nodes = await createTreeNodes(last.size, leafSource(store), nodeHash);
  return { checkpoints, note: last.note, nodes, rotations: await rotationsToNow(store) };
}

async function writeSegment(
  store: SigningStore,
  { base, to }: ArchivePlan,
  { checkpoints, note, nodes, rotations }: Known,
  directory: string,
  { signer, by }: ArchiveOptions,
): Promise<ArchivedSegment> {
  const from = base.size;
  const key = formatNoteKey(noteKey(signer.name, signer.publicKey, nodeHash));
  const path = await nodes.hashes(consistencyPath(to, nodes.size));
  const writer = createSegmentWriter(directory);
  const root = createLinesRoot(nodeHash);
  const add = (line: string): Promise<void> => {
    root.add(line);
    return writer.write(line);
  };
  try {
    await add(formatSegmentHead({ log: store.logId, to, base, rotations, key }));
    const marks = checkpoints.filter(({ size }) => size > from && size <= to);
    for (let at = from; at < to; ) {
      const page = await store.entries({ from: at, limit: Math.min(250, to - at) });
      for (const entry of page) {
        await add(formatExportLine({ kind: "entry", entry }));
        for (let mark = marks[0]; mark !== undefined && mark.size <= entry.seq + 1; mark = marks[0]) {
          await add(formatExportLine({ kind: "checkpoint", ...mark }));
          marks.shift();
        }
      }
      const last = page.at(-1);
      if (last === undefined) throw new SafeRunError("record.busy", "the entries are gone", { retryable: true });
      at = last.seq + 1;
    }
    await add(formatExportLine({ kind: "end", entries: to - from }));
    await add(formatSegmentProof({ path, note }));
    const lines = root.root();
    await writer.write(formatSeal(signSeal({ log: store.logId, from, to, lines }, signer, nodeHash)));
    const file = segmentName(from, to, lines);
    await writer.finish(file);
    const segment = { by, from, to, file, lines };
    await checkWritten(join(directory, file), segment, key);
    return segment;
  } catch (error) {
    await writer.drop();
    throw error;
  }
}

/** Nothing leaves the store that could not be read back and proven. */
async function checkWritten(path: string, segment: ArchivedSegment, pinned: string): Promise<void> {
  const found = await verifySegment(linesOfSegment(path), { hash: nodeHash, verifier: nodeVerifier, pinned });
  if (found.status === "verified" && found.lines === segment.lines) return;
  rmSync(path);
  const [fault] = found.faults;
  const why = fault === undefined ? "it reads back as something else" : `entry ${fault.seq}: ${fault.message}`;
  throw new SafeRunError("record.corrupt", `the log cannot be archived, it does not verify: ${why}; verify it`);
}

/** What a run that died wrote for the same entries can be named by nobody any more. */
function removeUnnamed(older: readonly SegmentFile[], { from, file }: ArchivedSegment): void {
  for (const other of older) {
    if (other.from === from && other.name !== file && existsSync(other.path)) rmSync(other.path);
  }
}
