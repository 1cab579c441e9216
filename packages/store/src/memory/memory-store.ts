/** The store that forgets: tests, demos, the playground. Same contract as the durable ones. */
import {
  type ApprovalRecord,
  appendEntries,
  type CallRecord,
  type ChainHead,
  type Clock,
  type CommitResult,
  EMPTY_TREE,
  type Hash,
  type LogHeads,
  type Random,
  type RowWrite,
  type RunSummary,
  SafeRunError,
  type Store,
  type StoredEntry,
  type Transaction,
  toHex,
  treeRoot,
} from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom } from "../node/ports.ts";

export interface MemoryStoreOptions {
  readonly hash?: Hash;
  readonly clock?: Pick<Clock, "now">;
  readonly random?: Random;
}

/** A store in this process's memory. Every commit is atomic because nothing in it waits. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const hash = options.hash ?? nodeHash;
  const clock = options.clock ?? nodeClock;
  const random = options.random ?? nodeRandom;
  const logId = toHex(random.bytes(16));
  const writerId = toHex(random.bytes(16));

  const entries: StoredEntry[] = [];
  const byRun = new Map<string, StoredEntry[]>();
  const runs = new Map<string, RunSummary>();
  const calls = new Map<string, CallRecord>();
  const keys = new Map<string, string>();
  const approvals = new Map<string, ApprovalRecord>();
  const notes = new Map<number, string>();
  const chains = new Map<string, ChainHead>();
  let heads: Omit<LogHeads, "runs"> = {
    log: logId,
    writer: { id: writerId, n: 0, leaf: null },
    tree: EMPTY_TREE,
    lastTime: 0,
  };
  let changes = 0;
  let closed = false;

  function conflictIn(transaction: Transaction): { kind: "call" | "approval"; id: string } | undefined {
    for (const { row, expect } of transaction.calls ?? []) {
      if ((calls.get(row.id)?.version ?? null) !== expect) return { kind: "call", id: row.id };
      const holder = row.key === null ? undefined : keys.get(keyOf(row.run, row.key));
      if (holder !== undefined && holder !== row.id) return { kind: "call", id: row.id };
    }
    for (const { row, expect } of transaction.approvals ?? []) {
      if ((approvals.get(row.id)?.version ?? null) !== expect) return { kind: "approval", id: row.id };
    }
    return undefined;
  }

  function chainsOf(transaction: Transaction): Map<string, ChainHead> {
    const named = new Map<string, ChainHead>();
    for (const { run } of transaction.entries) {
      const chain = run === undefined ? undefined : chains.get(run);
      if (run !== undefined && chain !== undefined) named.set(run, chain);
    }
    return named;
  }

  function commit(transaction: Transaction): CommitResult {
    if (closed) throw new SafeRunError("record.unavailable", "the store is closed");
    distinct(transaction);
    const conflict = conflictIn(transaction);
    if (conflict !== undefined) return { ok: false, conflict };
    const appended = appendEntries(transaction.entries, { ...heads, runs: chainsOf(transaction) }, clock.now(), hash);
    // Nothing below can fail: the heads, rows and entries change together.
    heads = appended.heads;
    for (const [id, chain] of appended.heads.runs) chains.set(id, chain);
    for (const { row } of transaction.calls ?? []) {
      calls.set(row.id, structuredClone(row));
      if (row.key !== null) keys.set(keyOf(row.run, row.key), row.id);
    }
    for (const { row } of transaction.approvals ?? []) approvals.set(row.id, structuredClone(row));
    for (const [index, entry] of appended.entries.entries()) {
      entries.push(entry);
      const draft = transaction.entries[index];
      if (draft?.run === undefined) continue;
      runs.set(draft.run, summarize(runs.get(draft.run), draft.run, draft, heads.lastTime));
      const own = byRun.get(draft.run);
      if (own === undefined) byRun.set(draft.run, [entry]);
      else own.push(entry);
    }
    changes++;
    return { ok: true, entries: appended.entries };
  }

  return {
    logId,
    writerId,
    commit: async (transaction) => commit(transaction),
    head: async () => ({ size: heads.tree.size, root: treeRoot(heads.tree, hash) }),
    entries: async ({ from, limit, run }) =>
      run === undefined
        ? entries.slice(from, from + limit)
        : (byRun.get(run) ?? []).filter((entry) => entry.seq >= from).slice(0, limit),
    leaves: async ({ from, to }) => entries.slice(from, to).map((entry) => entry.leaf),
    checkpoints: async () => [...notes].sort(([left], [right]) => left - right).map(([size, note]) => ({ size, note })),
    addCheckpoint: async (size, note) => {
      const known = notes.get(size);
      if (known !== undefined && known !== note) {
        throw new SafeRunError("record.corrupt", `two different checkpoints over ${size} entries`);
      }
      notes.set(size, note);
      changes++;
    },
    call: async (id) => calls.get(id),
    callByKey: async (run, key) => calls.get(keys.get(keyOf(run, key)) ?? ""),
    callsIn: async (states, limit) =>
      [...calls.values()]
        .filter((call) => states.includes(call.state))
        .sort((left, right) => left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1))
        .slice(0, limit),
    approval: async (id) => approvals.get(id),
    approvals: async ({ state, limit }) =>
      [...approvals.values()]
        .filter((approval) => state === undefined || approval.state === state)
        .sort((left, right) => right.createdAt - left.createdAt || (left.id < right.id ? 1 : -1))
        .slice(0, limit),
    run: async (id) => runs.get(id),
    // A run is as old as its first entry, and a Map keeps the order in which they came.
    runs: async ({ limit }) => [...runs.values()].reverse().slice(0, limit),
    changeToken: async () => String(changes),
    // Writers of a memory store live in this process.
    deadWriters: async () => [],
    close: async () => {
      closed = true;
    },
  };
}

function keyOf(run: string, key: string): string {
  return JSON.stringify([run, key]);
}

/** A transaction that writes one row twice has no meaning under compare-and-set. */
function distinct(transaction: Transaction): void {
  const rows: readonly RowWrite<{ readonly id: string }>[][] = [
    [...(transaction.calls ?? [])],
    [...(transaction.approvals ?? [])],
  ];
  for (const writes of rows) {
    if (new Set(writes.map((write) => write.row.id)).size !== writes.length) {
      throw new SafeRunError("log.malformed", "a transaction that writes one row twice");
    }
  }
}

function summarize(
  known: RunSummary | undefined,
  id: string,
  draft: { readonly agent?: string; readonly environment?: string },
  time: number,
): RunSummary {
  return {
    id,
    // The first entry that names them; a run has one of each.
    agent: known?.agent || (draft.agent ?? ""),
    environment: known?.environment || (draft.environment ?? ""),
    entries: (known?.entries ?? 0) + 1,
    startedAt: known?.startedAt ?? time,
    lastAt: time,
  };
}
