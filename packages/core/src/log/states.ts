/**
 * What the log says of every run, call and approval: the rows that a store keeps beside it, rebuilt from the entries alone.
 *
 * Only what entries tell: a row's own counters and times, a caller's key and arguments that nobody was asked about are not
 * in headers, and cannot be rebuilt.
 */
import type { Hash } from "../ports.ts";
import { equalBytes } from "../value/bytes.ts";
import { type ArchiveBase, NO_BASE } from "./archive-base.ts";
import type { StoredEntry } from "./entry.ts";
import type { EntryHeader } from "./header.ts";

export interface RunState {
  /** Entries so far, and the leaf of the last. */
  n: number;
  leaf: Uint8Array;
  agent: string;
  environment: string;
  /** Store time of the first and the last, ms. */
  started: number;
  last: number;
  /** Position of the last. */
  seq: number;
}

export interface CallStateOfLog {
  run: string;
  state: "pending" | "approved" | "executing" | "succeeded" | "failed" | "unknown" | "denied" | "expired";
  /** Absent where the name was a model's own text, which no header carries. */
  readonly tool: string | undefined;
  revision: string;
  approval: string | null;
  /** The writer that claimed it. */
  owner: string | null;
  seq: number;
}

/** The store's row of a call. */
export type CallRow = Omit<CallStateOfLog, "seq">;

export interface ApprovalStateOfLog {
  readonly run: string;
  readonly call: string;
  state: "pending" | "suspended" | "approved" | "denied" | "expired" | "withdrawn" | "consumed";
  seq: number;
}

/** So that not every call of a log has to be kept: one that has ended as its row says is looked up again if it has to be. */
export interface CallRows {
  readonly hash: Hash;
  /** Undefined where there is no row, or it contradicts itself. */
  read(id: string): CallRow | undefined;
  /** Calls kept before those that have ended are compared with their rows. Default 10,000. */
  readonly most?: number;
}

export interface LogStates {
  readonly runs: ReadonlyMap<string, RunState>;
  readonly calls: ReadonlyMap<string, CallStateOfLog>;
  readonly approvals: ReadonlyMap<string, ApprovalStateOfLog>;
  /** Calls that have ended, are no longer in `calls`, and whose rows said what the log says. */
  readonly settled: { readonly size: number; has(id: string): boolean };
  /** To be shown every entry, in order. */
  see(entry: StoredEntry, header: EntryHeader): void;
}

const MOST_CALLS = 10_000;

/** `base`: where the first entries are archived, what they say of what goes on behind them. */
export function createLogStates(rows?: CallRows, base: ArchiveBase = NO_BASE): LogStates {
  const { most = MOST_CALLS } = rows ?? {};
  const settled = createSettled(rows);
  let settleAt = most;
  const { size: seq } = base;
  const runs = new Map<string, RunState>(
    base.runs.map(({ id, ...run }) => [id, { ...run, leaf: new Uint8Array(0), last: run.started, seq }]),
  );
  const calls = new Map<string, CallStateOfLog>(base.calls.map(({ id, ...call }) => [id, { ...call, seq }]));
  const approvals = new Map<string, ApprovalStateOfLog>(base.approvals.map(({ id, ...one }) => [id, { ...one, seq }]));
  /** Headers bring the same few names again and again, each time as a text of its own. */
  const texts = new Map<string, string>();
  const shared = (text: string): string => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    if (texts.size < 10_000) texts.set(text, text);
    return text;
  };

  function seeRun({ seq, leaf }: StoredEntry, { run, agent = "", environment = "", time }: EntryHeader): void {
    if (run === undefined) return;
    const known = runs.get(run.id);
    if (known === undefined) {
      const named = { agent: shared(agent), environment: shared(environment) };
      runs.set(run.id, { n: run.n + 1, leaf, ...named, started: time, last: time, seq });
      return;
    }
    known.n = run.n + 1;
    known.leaf = leaf;
    known.last = time;
    known.seq = seq;
    if (known.agent === "") known.agent = shared(agent);
    if (known.environment === "") known.environment = shared(environment);
  }

  function seeCall(seq: number, header: EntryHeader): void {
    const { type, call: id, run, revision, approval } = header;
    if (id === undefined || run === undefined) return;
    const call = calls.get(id) ?? recall(id);
    if (call === undefined) {
      // A request that was no call has no row.
      const isCall = type === "call.proposed" && header.parts?.arguments !== undefined;
      const tool = header.tool === undefined ? undefined : shared(header.tool);
      const named = { run: run.id, tool, revision: "", approval: null, owner: null };
      if (isCall) calls.set(id, { ...named, state: "pending", seq });
      return;
    }
    call.seq = seq;
    const isOpen = call.state === "pending" || call.state === "approved";
    switch (type) {
      case "call.decided":
        if (header.verdict === "deny") call.state = "denied";
        if (revision !== undefined && (call.revision === "" || header.verdict !== "deny"))
          call.revision = shared(revision);
        return;
      case "approval.requested":
        call.state = "pending";
        call.approval = approval ?? null;
        return;
      case "approval.decided":
        call.state = header.verdict === "allow" ? "approved" : "denied";
        return;
      case "approval.expired":
      case "approval.withdrawn":
        // Beside a denial or another question it only closes the question.
        if (isOpen) call.state = "expired";
        return;
      case "call.executing":
        call.state = "executing";
        call.owner = shared(header.writer.id);
        if (revision !== undefined) call.revision = shared(revision);
        return;
      case "call.lost":
        call.state = "unknown";
        return;
      case "call.finished":
      case "call.reconciled":
        if (header.outcome !== undefined) call.state = header.outcome;
        return;
      default:
        return;
    }
  }

  function recall(id: string): CallStateOfLog | undefined {
    const row = settled.take(id);
    if (row === undefined) return undefined;
    const call = { ...row, seq: 0 };
    calls.set(id, call);
    return call;
  }

  function settle(): void {
    for (const [id, call] of calls) if (ENDED.has(call.state) && settled.put(id, call)) calls.delete(id);
    // Those that are left are not asked for again at once.
    settleAt = calls.size + most;
  }

  function seeApproval(seq: number, { type, approval: id, call, run, verdict }: EntryHeader): void {
    if (id === undefined) return;
    if (type === "approval.requested") {
      approvals.set(id, { run: run?.id ?? "", call: call ?? "", state: "pending", seq });
      return;
    }
    const known = approvals.get(id);
    const state = APPROVAL_STATES[type];
    if (known === undefined) return;
    known.seq = seq;
    if (type === "approval.decided") known.state = verdict === "allow" ? "approved" : "denied";
    else if (state !== undefined) known.state = state;
  }

  return {
    runs,
    calls,
    approvals,
    settled,
    see(entry, header) {
      seeRun(entry, header);
      seeCall(entry.seq, header);
      if (calls.size >= settleAt && rows !== undefined) settle();
      seeApproval(entry.seq, header);
    },
  };
}

const ENDED: ReadonlySet<CallStateOfLog["state"]> = new Set(["succeeded", "failed", "denied", "expired"]);

/** Ids as 48 bits of their hashes: nobody finds two that are the same without making 2^24 of them, and then a row is too many. */
function createSettled(rows: CallRows | undefined) {
  const keys = new Set<number>();
  const encoder = new TextEncoder();
  const keyOf = (id: string): number =>
    rows?.hash
      .sha256(encoder.encode(id))
      .subarray(0, 6)
      .reduce((key, byte) => key * 256 + byte, 0) ?? 0;
  return {
    get size() {
      return keys.size;
    },
    has: (id: string) => keys.size > 0 && keys.has(keyOf(id)),
    /** True when the row says the same. */
    put(id: string, call: CallStateOfLog): boolean {
      const row = rows?.read(id);
      if (row === undefined || !isSameCall(row, call)) return false;
      keys.add(keyOf(id));
      return true;
    },
    /** The row of one that is spoken of again. */
    take(id: string): CallRow | undefined {
      const row = keys.size > 0 && keys.has(keyOf(id)) ? rows?.read(id) : undefined;
      if (row !== undefined) keys.delete(keyOf(id));
      return row;
    },
  };
}

function isSameCall(row: CallRow, call: CallStateOfLog): boolean {
  return (
    row.run === call.run &&
    row.state === call.state &&
    row.revision === call.revision &&
    row.approval === call.approval &&
    row.owner === call.owner &&
    (call.tool === undefined || row.tool === call.tool)
  );
}

const APPROVAL_STATES: Readonly<Record<string, ApprovalStateOfLog["state"]>> = {
  "approval.suspended": "suspended",
  "approval.resumed": "pending",
  "approval.expired": "expired",
  "approval.withdrawn": "withdrawn",
  "approval.consumed": "consumed",
};

/** True for a row of the table of runs that is what the log says. */
export function isSameRun(row: Omit<RunState, "seq">, state: RunState): boolean {
  const { n, leaf, agent, environment, started, last } = row;
  return (
    n === state.n &&
    equalBytes(leaf, state.leaf) &&
    agent === state.agent &&
    environment === state.environment &&
    started === state.started &&
    last === state.last
  );
}
