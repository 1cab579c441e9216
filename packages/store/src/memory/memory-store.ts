/** The store that forgets: tests, demos, the playground. Same contract as the durable ones. */
import {
  type ApprovalRecord,
  type ArchivedRows,
  appendEntries,
  approvalSummary,
  begins,
  bytesOf,
  type CallRecord,
  type ChainHead,
  type Clock,
  type CommitResult,
  type Conflict,
  callEntryOf,
  countBytes,
  EMPTY_TREE,
  type Hash,
  isCallEntry,
  type Json,
  type LogHeads,
  type Objection,
  protect,
  type Random,
  type RunSummary,
  SafeRunError,
  STATE_KINDS,
  type StateKind,
  type StateRow,
  type StateRows,
  type Store,
  type StoredEntry,
  type Transaction,
  toHex,
  treeRoot,
  type Unmoved,
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
  /** Position of the first of them: those before are archived. */
  let first = 0;
  const byRun = new Map<string, StoredEntry[]>();
  const runs = new Map<string, RunSummary>();
  const calls = new Map<string, CallRecord>();
  const keys = new Map<string, string>();
  const approvals = new Map<string, ApprovalRecord>();
  const state = new Map<StateKind, Map<string, StateRow>>(STATE_KINDS.map((kind) => [kind, new Map()]));
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

  function conflictIn(transaction: Transaction): Conflict | undefined {
    for (const { row, expect } of transaction.calls ?? []) {
      if ((calls.get(row.id)?.version ?? null) !== expect) return { kind: "call", id: row.id };
      const holder = row.key === null ? undefined : keys.get(keyOf(row.run, row.key));
      if (holder !== undefined && holder !== row.id) return { kind: "call", id: row.id };
    }
    for (const { row, expect } of transaction.approvals ?? []) {
      if ((approvals.get(row.id)?.version ?? null) !== expect) return { kind: "approval", id: row.id };
    }
    for (const { row, expect } of transaction.rows ?? []) {
      if ((state.get(row.kind)?.get(row.id)?.version ?? null) !== expect) return { kind: row.kind, id: row.id };
    }
    for (const { id, entries } of transaction.archive?.runs ?? []) {
      if (runs.get(id)?.entries !== entries) return { kind: "run", id };
    }
    return transaction.unmoved && movedIn(transaction.unmoved);
  }

  function movedIn({ root, tree, runs: read }: Unmoved): Conflict | undefined {
    if ((state.get("tree")?.get(root)?.version ?? null) !== tree) return { kind: "tree", id: root };
    const moved = read.find((run) => (runs.get(run.id)?.entries ?? 0) !== run.entries);
    return moved === undefined ? undefined : { kind: "run", id: moved.id };
  }

  function chainsOf(transaction: Transaction): Map<string, ChainHead> {
    const named = new Map<string, ChainHead>();
    for (const { run } of transaction.entries) {
      const chain = run === undefined ? undefined : chains.get(run);
      if (run !== undefined && chain !== undefined) named.set(run, chain);
    }
    return named;
  }

  /** What the protections write goes to `stepped` first: an objection leaves nothing behind. */
  function protectRows({ protection }: Transaction, rows: StateRows): Objection | null {
    return protection === undefined ? null : protect(protection, rows, storeTime());
  }

  function storeTime(): number {
    return Math.max(clock.now(), heads.lastTime);
  }

  function steppedRows(stepped: Map<string, StateRow>): StateRows {
    const find = (kind: StateKind, id: string) => stepped.get(`${kind}\u0000${id}`) ?? state.get(kind)?.get(id);
    return {
      get: (kind, id) => find(kind, id)?.value ?? undefined,
      put(kind: StateKind, id: string, value: Json, due: number | null) {
        const version = (find(kind, id)?.version ?? 0) + 1;
        stepped.set(`${kind}\u0000${id}`, { kind, id, version, due, value });
      },
    };
  }

  function commit(transaction: Transaction): CommitResult {
    if (closed) throw new SafeRunError("record.unavailable", "the store is closed");
    distinct(transaction);
    const conflict = conflictIn(transaction);
    if (conflict !== undefined) return { ok: false, conflict };
    const stepped = new Map<string, StateRow>();
    const rows = steppedRows(stepped);
    const objection = protectRows(transaction, rows);
    if (objection !== null) return { ok: false, objection };
    const appended = appendEntries(transaction.entries, { ...heads, runs: chainsOf(transaction) }, clock.now(), hash);
    const { counted } = transaction;
    const size = { begins: begins(transaction.entries), bytes: bytesOf(appended.entries) };
    const reached = counted === undefined ? [] : countBytes(counted, size, rows, storeTime());
    const from = heads.tree.size;
    // Nothing below can fail: the heads, rows and entries change together.
    heads = appended.heads;
    for (const [id, chain] of appended.heads.runs) chains.set(id, chain);
    for (const { row } of transaction.calls ?? []) {
      calls.set(row.id, structuredClone(row));
      if (row.key !== null) keys.set(keyOf(row.run, row.key), row.id);
    }
    for (const { row } of transaction.approvals ?? []) approvals.set(row.id, structuredClone(row));
    for (const row of [...(transaction.rows ?? []).map((write) => write.row), ...stepped.values()]) {
      if (row.value === null) state.get(row.kind)?.delete(row.id);
      else state.get(row.kind)?.set(row.id, structuredClone(row));
    }
    for (const [index, entry] of appended.entries.entries()) {
      entries.push(entry);
      const draft = transaction.entries[index];
      if (draft?.run === undefined) continue;
      runs.set(draft.run, summarize(runs.get(draft.run), draft.run, draft, heads.lastTime));
      const own = byRun.get(draft.run);
      if (own === undefined) byRun.set(draft.run, [entry]);
      else own.push(entry);
    }
    for (const { seq, names } of transaction.erase ?? []) erase(seq, names);
    if (transaction.archive !== undefined) remove(transaction.archive);
    changes++;
    return { ok: true, from, to: heads.tree.size, ...(reached.length === 0 ? {} : { reached }) };
  }

  function erase(seq: number, names: readonly string[]): void {
    const entry = entries[seq - first];
    if (entry === undefined) return;
    const parts = entry.parts.map((part) => (names.includes(part.name) ? { ...part, salt: null, bytes: null } : part));
    const without = { ...entry, parts };
    entries[seq - first] = without;
    for (const own of byRun.values()) if (own.includes(entry)) own[own.indexOf(entry)] = without;
  }

  function remove({ to, ...gone }: ArchivedRows): void {
    entries.splice(0, to - first);
    first = to;
    for (const [size] of notes) if (size < to) notes.delete(size);
    for (const [run, own] of byRun) {
      const left = own.filter(({ seq }) => seq >= to);
      if (left.length > 0) byRun.set(run, left);
      else byRun.delete(run);
    }
    for (const { id } of gone.runs) {
      runs.delete(id);
      chains.delete(id);
    }
    for (const id of gone.calls) {
      const { run, key = null } = calls.get(id) ?? {};
      if (run !== undefined && key !== null) keys.delete(keyOf(run, key));
      calls.delete(id);
    }
    for (const id of gone.approvals) approvals.delete(id);
  }

  return {
    logId,
    writerId,
    commit: async (transaction) => commit(transaction),
    head: async () => ({ size: heads.tree.size, root: treeRoot(heads.tree, hash) }),
    entries: async ({ from, limit, run }) =>
      run === undefined
        ? entries.slice(Math.max(0, from - first), Math.max(0, from - first) + limit)
        : (byRun.get(run) ?? []).filter((entry) => entry.seq >= from).slice(0, limit),
    callEntries: async ({ run, from, limit }) =>
      (byRun.get(run) ?? [])
        .filter((entry) => entry.seq >= from)
        .map(callEntryOf)
        .filter(isCallEntry)
        .slice(0, limit),
    leaves: async ({ from, to }) =>
      entries.slice(Math.max(0, from - first), Math.max(0, to - first)).map((entry) => entry.leaf),
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
        .slice(0, limit)
        .map(({ id, state }) => ({ id, state })),
    approval: async (id) => approvals.get(id),
    approvals: async ({ state, limit }) =>
      [...approvals.values()]
        .filter((approval) => state === undefined || approval.state === state)
        .sort((left, right) => right.createdAt - left.createdAt || (left.id < right.id ? 1 : -1))
        .slice(0, limit)
        .map(approvalSummary),
    run: async (id) => runs.get(id),
    // A run is as old as its first entry, and a Map keeps the order in which they came.
    runs: async ({ limit }) => [...runs.values()].reverse().slice(0, limit),
    row: async (kind, id) => state.get(kind)?.get(id),
    rows: async ({ kind, after, limit }) =>
      [...(state.get(kind)?.values() ?? [])]
        .filter((row) => after === undefined || compareUtf8(row.id, after) > 0)
        .sort((left, right) => compareUtf8(left.id, right.id))
        .slice(0, limit),
    dueRows: async ({ kind, by, limit }) =>
      [...(state.get(kind)?.values() ?? [])]
        .flatMap((row) => (row.due !== null && row.due <= by ? [{ row, due: row.due }] : []))
        .sort((left, right) => left.due - right.due || compareUtf8(left.row.id, right.row.id))
        .slice(0, limit)
        .map(({ row }) => row),
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
  const { calls = [], approvals = [], rows = [] } = transaction;
  const written = [
    calls.map(({ row }) => row.id),
    approvals.map(({ row }) => row.id),
    rows.map(({ row }) => JSON.stringify([row.kind, row.id])),
  ];
  for (const ids of written) {
    if (new Set(ids).size !== ids.length) {
      throw new SafeRunError("log.malformed", "a transaction that writes one row twice");
    }
  }
}

/** The order of databases, which compare bytes. */
function compareUtf8(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
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
