/**
 * What a store keeps of the entries that were archived: the tree over them, and what the entries behind them rest on.
 *
 * It stands in the state row `archive/base` and, the same, in the entry `log.archived` that the archiving transaction
 * wrote: whoever changes the one is told by the other, and by every checkpoint.
 */
import { SafeRunError } from "../errors.ts";
import type { StateRow, StateStore } from "../ports.ts";
import { fromBase64, toBase64 } from "../value/bytes.ts";
import type { Json, JsonObject } from "../value/json.ts";
import type { ApprovalStateOfLog, CallStateOfLog, RunState } from "./states.ts";
import { EMPTY_TREE, type LogTree, peakCount } from "./tree.ts";

/** Of a run that goes on behind the archived entries. */
export type CarriedRun = Pick<RunState, "n" | "agent" | "environment" | "started"> & { readonly id: string };
export type CarriedCall = Omit<CallStateOfLog, "seq"> & { readonly id: string };
export type CarriedApproval = Omit<ApprovalStateOfLog, "seq"> & { readonly id: string };

/** A change of the signing key: the position of its entry, and the note that both keys have signed. */
export interface NotedRotation {
  readonly seq: number;
  readonly note: string;
}

export interface ArchiveBase extends LogTree {
  /** The public key that the log's first entry names; null where it names none. */
  readonly key: string | null;
  /** Changes of the key among the archived entries. */
  readonly rotations: readonly NotedRotation[];
  readonly runs: readonly CarriedRun[];
  readonly calls: readonly CarriedCall[];
  readonly approvals: readonly CarriedApproval[];
}

/** Nothing is archived. */
export const NO_BASE: ArchiveBase = Object.freeze({
  ...EMPTY_TREE,
  key: null,
  rotations: [],
  runs: [],
  calls: [],
  approvals: [],
});

/** Row of kind `archive` that holds the base. */
export const BASE_ROW = "base";
/** Row of kind `archive` that grows with every erasure, so that none comes between an archive's file and its commit. */
export const ERASURES_ROW = "erasures";

export function baseJson(base: ArchiveBase): JsonObject {
  const { size, peaks, key, rotations, runs, calls, approvals } = base;
  return {
    size,
    peaks: peaks.map(toBase64),
    key,
    rotations: rotations.map(({ seq, note }) => ({ seq, note })),
    runs: runs.map(({ id, n, agent, environment, started }) => ({ id, n, agent, environment, started })),
    calls: calls.map(({ id, run, state, tool, revision, approval, owner }) => {
      return { id, run, state, ...(tool === undefined ? {} : { tool }), revision, approval, owner };
    }),
    approvals: approvals.map(({ id, run, call, state }) => ({ id, run, call, state })),
  };
}

/** Undefined for anything that `baseJson` does not write. */
export function parseBase(value: unknown): ArchiveBase | undefined {
  if (!isMap(value) || !Array.isArray(value.peaks)) return undefined;
  const { size, key } = value;
  const peaks = value.peaks.flatMap((peak) => (typeof peak === "string" ? (fromBase64(peak) ?? []) : []));
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || !isTextOrNull(key)) return undefined;
  if (peaks.length !== value.peaks.length || peaks.length !== peakCount(size)) return undefined;
  if (peaks.some((peak) => peak.length !== 32)) return undefined;
  const rotations = listOf(value.rotations, isRotation);
  const runs = listOf(value.runs, isRun);
  const calls = listOf(value.calls, isCall);
  const approvals = listOf(value.approvals, isApproval);
  if (rotations === undefined || runs === undefined || calls === undefined || approvals === undefined) return undefined;
  return { size, peaks, key, rotations, runs, calls: calls.map((call) => ({ ...call, tool: call.tool })), approvals };
}

/** @throws SafeRunError `record.corrupt` for a row that holds none. */
export function baseIn(row: Pick<StateRow, "value"> | undefined): ArchiveBase {
  if (row === undefined) return NO_BASE;
  const base = parseBase(row.value);
  if (base === undefined) {
    throw new SafeRunError("record.corrupt", "the store's row `archive/base` does not say what was archived");
  }
  return base;
}

/** @throws SafeRunError `record.corrupt`. */
export async function archiveBase(store: Pick<StateStore, "row">): Promise<ArchiveBase> {
  return baseIn(await store.row("archive", BASE_ROW));
}

/** As a key of a first line; absent where the signing key was never changed. */
export function rotationsJson(rotations: readonly NotedRotation[]): { readonly rotations?: readonly NotedRotation[] } {
  return rotations.length === 0 ? {} : { rotations: rotations.map(({ seq, note }) => ({ seq, note })) };
}

/** Changes of the signing key in a file; none where the file says nothing of them. Undefined for anything else. */
export function parseRotations(value: unknown): readonly NotedRotation[] | undefined {
  return value === undefined ? [] : listOf(value, isRotation);
}

function listOf<Item>(value: unknown, is: (item: unknown) => item is Item): readonly Item[] | undefined {
  return Array.isArray(value) && value.every(is) ? value : undefined;
}

function isRotation(value: unknown): value is NotedRotation {
  return isMap(value) && typeof value.seq === "number" && typeof value.note === "string";
}

function isRun(value: unknown): value is CarriedRun {
  if (!isMap(value) || typeof value.n !== "number" || typeof value.started !== "number") return false;
  return areTexts(value, "id", "agent", "environment");
}

function isCall(value: unknown): value is CarriedCall {
  if (!isMap(value) || !areTexts(value, "id", "run", "state", "revision")) return false;
  const { tool, approval, owner } = value;
  return isTextOrNull(approval) && isTextOrNull(owner) && (tool === undefined || typeof tool === "string");
}

function isApproval(value: unknown): value is CarriedApproval {
  return isMap(value) && areTexts(value, "id", "run", "call", "state");
}

function areTexts(value: Readonly<Record<string, unknown>>, ...names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === "string");
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const ARCHIVE_PART = "archive";

/** One archived stretch of the log, as its entry tells it. */
export interface ArchivedSegment {
  readonly by: string;
  /** Entries `from` to `to`, exclusive. */
  readonly from: number;
  readonly to: number;
  /** Name of its file, below the folder that it was written to. */
  readonly file: string;
  /** Root over its lines, base64: what the file's seal signs. */
  readonly lines: string;
}

export interface ArchiveEntry extends ArchivedSegment {
  /** What the store rests on from here on. */
  readonly base: Json;
}

export function archiveContent({ by, from, to, file, lines, base }: ArchiveEntry): Json {
  return { by, from, to, file, lines, base };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What an entry `log.archived` says; undefined where it says nothing that can be read. */
export function archivedBy(
  parts: readonly { readonly name: string; readonly bytes: Uint8Array | null }[],
): ArchiveEntry | undefined {
  const bytes = parts.find(({ name }) => name === ARCHIVE_PART)?.bytes ?? null;
  if (bytes === null) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  if (!isMap(content) || !areTexts(content, "by", "file", "lines")) return undefined;
  const { by, from, to, file, lines, base } = content;
  if (typeof from !== "number" || typeof to !== "number" || !isMap(base)) return undefined;
  return { by: String(by), from, to, file: String(file), lines: String(lines), base: base as JsonObject };
}
