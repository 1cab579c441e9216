/**
 * Plans what of a log can be archived, and records that it was: the entries from the first that is left on, up to the first
 * that somebody may still need. The file is written in between, by whoever has files.
 */
import { decodeHold } from "../breaker/protect/rows.ts";
import { SafeRunError } from "../errors.ts";
import { part } from "../gate/record.ts";
import { FINAL_STATES } from "../lifecycle.ts";
import {
  ARCHIVE_PART,
  type ArchiveBase,
  type ArchivedSegment,
  archiveBase,
  archiveContent,
  BASE_ROW,
  baseJson,
  ERASURES_ROW,
  type NotedRotation,
} from "../log/archive-base.ts";
import type { StoredEntry } from "../log/entry.ts";
import { type EntryHeader, parseHeader } from "../log/header.ts";
import { ROTATION_PART } from "../log/rotation.ts";
import { createLogStates, type LogStates } from "../log/states.ts";
import { createTreeBuilder } from "../log/tree.ts";
import type { ArchivedRows, Hash, Random, RowWrite, StateRow, Store } from "../ports.ts";
import type { Json } from "../value/json.ts";

export interface ArchiveRequest {
  /** Entries of this time and later stay, ms. */
  readonly before: number;
  /** Entries from this position on stay: what archiving itself writes must not be archived at once. */
  readonly below: number;
  /** Entries of one segment at most. */
  readonly most: number;
}

export interface ArchivePlan {
  /** What the store rests on now; its `size` is the first entry of the segment, its `key` the log's. */
  readonly base: ArchiveBase;
  /** Behind the last entry of the segment; `base.size` where nothing can be archived. */
  readonly to: number;
  /** What the store will rest on. */
  readonly next: ArchiveBase;
  readonly rows: ArchivedRows;
  /** Why it ends where it does, where an open call, question or hold does that. */
  readonly heldBy: string | undefined;
  /** Compare-and-set with which the plan is recorded. */
  readonly guards: readonly RowWrite<StateRow>[];
}

const PAGE = 500;
const MOST_OPEN = 100_000;

/** @throws SafeRunError as the store does. */
export async function planArchive(store: Store, request: ArchiveRequest, hash: Hash): Promise<ArchivePlan> {
  const row = await store.row("archive", BASE_ROW);
  const erasures = await store.row("archive", ERASURES_ROW);
  const base = await archiveBase({ row: async () => row });
  const open = await openCalls(store);
  const states = createLogStates(undefined, base);
  const tree = createTreeBuilder(hash, base);
  const rotations: NotedRotation[] = [...base.rotations];
  let key = base.key;
  let heldBy: string | undefined;

  function take(entry: StoredEntry): boolean {
    const header = parseHeader(entry.header);
    if (header.time >= request.before || entry.seq >= request.below) return false;
    if (tree.size - base.size >= request.most) return false;
    heldBy = open(header);
    if (heldBy !== undefined) return false;
    tree.append(entry.leaf);
    states.see(entry, header);
    if (header.type === "log.opened") key ??= textOf(entry, "key");
    if (header.type === "log.rotated") rotations.push({ seq: entry.seq, note: textOf(entry, ROTATION_PART) ?? "" });
    return true;
  }
  await walk(store, base.size, Math.min(PAGE, request.most + 1), take);
  const rest = await rowsLeft(store, states);
  const next: ArchiveBase = { ...tree.tree(), key, rotations, ...rest.carried };
  return {
    base: { ...base, key },
    to: tree.size,
    next,
    rows: { to: tree.size, ...rest.gone },
    heldBy,
    guards: [
      write(BASE_ROW, row, baseJson(next)),
      // It need not change: that it has not is what counts.
      write(ERASURES_ROW, erasures, erasures?.value ?? 0),
    ],
  };
}

/** Recorded and gone from the store, or nothing: false where an erasure, an archive or a run came between. */
export async function commitArchive(
  store: Store,
  plan: ArchivePlan,
  segment: ArchivedSegment,
  random: Random,
): Promise<boolean> {
  const content = archiveContent({ ...segment, base: baseJson(plan.next) });
  const result = await store.commit({
    entries: [{ type: "log.archived", parts: [part(ARCHIVE_PART, content, random)] }],
    rows: plan.guards,
    archive: plan.rows,
  });
  return result.ok;
}

/** For the transaction of an erasure: whoever archives at the same time must begin again. */
export async function erasureGuard(store: Pick<Store, "row">): Promise<RowWrite<StateRow>> {
  const row = await store.row("archive", ERASURES_ROW);
  return write(ERASURES_ROW, row, typeof row?.value === "number" ? row.value + 1 : 1);
}

function write(id: string, row: StateRow | undefined, value: Json): RowWrite<StateRow> {
  const version = (row?.version ?? 0) + 1;
  return { row: { kind: "archive", id, version, due: null, value }, expect: row?.version ?? null };
}

async function walk(store: Store, first: number, limit: number, take: (entry: StoredEntry) => boolean): Promise<void> {
  for (let from = first; ; ) {
    const page = await store.entries({ from, limit });
    for (const entry of page) if (!take(entry)) return;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.seq + 1;
  }
}

/** Says of an entry why it has to stay: a call that is not final, a question, a hold that rests on its run. */
export async function openCalls(store: Store): Promise<(header: EntryHeader) => string | undefined> {
  const calls = new Map<string, string>();
  const approvals = new Map<string, string>();
  const runs = new Map<string, string>();
  const waiting = await store.callsIn(["pending", "approved", "executing", "unknown"], MOST_OPEN);
  for (const { id, state } of waiting) calls.set(id, `call \`${id}\` is ${state}`);
  for (const state of ["pending", "suspended"] as const) {
    for (const { id } of await store.approvals({ state, limit: MOST_OPEN })) approvals.set(id, `\`${id}\` is ${state}`);
  }
  if (waiting.length >= MOST_OPEN || approvals.size >= MOST_OPEN) {
    throw new SafeRunError("record.busy", "too many calls are open to archive anything: end them first");
  }
  for (let after: string | undefined; ; ) {
    const page = await store.rows({ kind: "hold", limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { id, value } of page) {
      const hold = decodeHold(value);
      if (hold.state !== "held") continue;
      const why = `the hold \`${id}\` is not settled`;
      calls.set(hold.call, calls.get(hold.call) ?? why);
      if (hold.model !== undefined) runs.set(hold.model.run, why);
    }
    after = page.at(-1)?.id;
    if (after === undefined) break;
  }
  return ({ call = "", approval = "", run }) => calls.get(call) ?? approvals.get(approval) ?? runs.get(run?.id ?? "");
}

/** Which rows only archived entries speak of, and what the entries behind them say of the others. */
async function rowsLeft(store: Store, states: LogStates) {
  const gone = { runs: [] as ArchivedRows["runs"][number][], calls: [] as string[], approvals: [] as string[] };
  const carried = {
    runs: [] as ArchiveBase["runs"][number][],
    calls: [] as ArchiveBase["calls"][number][],
    approvals: [] as ArchiveBase["approvals"][number][],
  };
  for (const [id, { n, agent, environment, started }] of states.runs) {
    const row = await store.run(id);
    if (row === undefined) continue;
    if (row.entries > n) carried.runs.push({ id, n, agent, environment, started });
    else gone.runs.push({ id, entries: n });
  }
  for (const [id, { seq: _, ...call }] of states.calls) {
    if (FINAL_STATES.includes(call.state)) gone.calls.push(id);
    else carried.calls.push({ id, ...call });
  }
  for (const [id, { seq: _, ...approval }] of states.approvals) {
    const isOver = !["pending", "suspended", "approved"].includes(approval.state);
    const call = states.calls.get(approval.call);
    if (isOver || call === undefined || FINAL_STATES.includes(call.state)) gone.approvals.push(id);
    else carried.approvals.push({ id, ...approval });
  }
  return { gone, carried };
}

const decoder = new TextDecoder();

function textOf({ parts }: StoredEntry, name: string): string | null {
  const bytes = parts.find((one) => one.name === name)?.bytes ?? null;
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
