/**
 * What the log says of every run, call and approval: the rows that a store keeps beside it, rebuilt from the entries alone.
 *
 * Only what entries tell: a row's own counters and times, a caller's key and arguments that nobody was asked about are not
 * in headers, and cannot be rebuilt.
 */
import { equalBytes } from "../value/bytes.ts";
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

export interface ApprovalStateOfLog {
  readonly run: string;
  readonly call: string;
  state: "pending" | "suspended" | "approved" | "denied" | "expired" | "withdrawn" | "consumed";
  seq: number;
}

export interface LogStates {
  readonly runs: ReadonlyMap<string, RunState>;
  readonly calls: ReadonlyMap<string, CallStateOfLog>;
  readonly approvals: ReadonlyMap<string, ApprovalStateOfLog>;
  /** To be shown every entry, in order. */
  see(entry: StoredEntry, header: EntryHeader): void;
}

export function createLogStates(): LogStates {
  const runs = new Map<string, RunState>();
  const calls = new Map<string, CallStateOfLog>();
  const approvals = new Map<string, ApprovalStateOfLog>();
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
    const call = calls.get(id);
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
    see(entry, header) {
      seeRun(entry, header);
      seeCall(entry.seq, header);
      seeApproval(entry.seq, header);
    },
  };
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
