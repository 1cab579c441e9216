/** What the outside must provide. Everything that differs between two runs of the same call comes in through here. */
import type { ApprovalRecord, ApprovalSummary } from "./approval/approval.ts";
import type { Protection } from "./breaker/protect/motion.ts";
import type { Objection } from "./breaker/protect/objection.ts";
import type { SealTie } from "./keeping.ts";
import type { CallRecord } from "./lifecycle.ts";
import type { CallEntry } from "./log/call-entry.ts";
import type { EntryDraft, StoredEntry } from "./log/entry.ts";
import type { ErasedParts } from "./log/erasure.ts";
import type { Counted, QuotaMark } from "./log/quota.ts";
import type { PolicySet } from "./policy/policy-set.ts";
import type { Json } from "./value/json.ts";
import type { RuntimeStamp } from "./value/stamp.ts";

/** SHA-256, synchronous. `node:crypto` in Node, a pure implementation elsewhere. */
export interface Hash {
  /** The bytes are only lent: they may change once it has returned. */
  sha256(bytes: Uint8Array): Uint8Array;
}

/** Ed25519 over raw bytes; `publicKey` is the 32-byte key. `name` is the signer's name in signed notes. */
export interface Signer {
  readonly name: string;
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export interface Verifier {
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /**
   * Milliseconds since some moment that stays the same while the process lives, the machine's sleep among them; nobody can
   * set it. Absent: that the clock was set forward is not noticed.
   */
  elapsed?(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Fresh unpredictable bytes: ids and salts. */
export interface Random {
  bytes(count: number): Uint8Array;
}

/** A cipher text with all that it takes to open it but the key, which it names: 32 lower-case hex digits. */
export interface SealedBytes {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Seals content at rest, with one key for each scope. Synchronous: it stands between a draft and its commit. */
export interface Sealer {
  /**
   * With the scope's key, which is made and durable before this returns. `place` is bound to it.
   * @throws SafeRunError `seal.missing`, `record.full`, `record.busy`, `record.*`: then nothing is recorded.
   */
  seal(scope: string, content: Uint8Array, place: Uint8Array): SealedBytes;
  /** Durable when it returns: whoever destroys the key of `scope` destroys that of `tied`, made before or after. */
  tie(tie: SealTie): void;
}

export interface Opener {
  /** Undefined: the key is not at hand, or the bytes are not what was sealed for that place. */
  open(sealed: SealedBytes, place: Uint8Array): Uint8Array | "destroyed" | undefined;
}

/** The keys as an erasure needs them. */
export interface SealKeys {
  /** Ids of the keys. Durable when it returns: what was sealed with those of these scopes, and of what is tied to them, is open to nobody. */
  destroy(scopes: readonly string[]): readonly string[];
  /** True where there is a key of one of them, or of what is tied to it. */
  has(scopes: readonly string[]): boolean;
  isDestroyed(key: string): boolean;
}

/** The policies in force. `current` is read once per evaluation; a swap between two reads is a new revision. */
export interface Policies {
  current(): PolicySet;
  /**
   * The revision that the log names as in force, shared by whoever writes to one record: who first acts on another one
   * writes `policy.activated`. Absent: each gate keeps its own. Empty: none is named yet.
   */
  readonly named?: { revision: string };
  /** The runtime's tables, named in the log beside each revision. Absent: they are not. */
  readonly stamp?: RuntimeStamp;
}

/** Tells people that a call waits. It never decides by returning; a throw or a hang changes nothing. */
export interface Notifier {
  paused(approval: ApprovalRecord): void | Promise<void>;
  /** A breaker opened, closed or stopped, or a budget reached a mark: already recorded. */
  alarmed?(alarm: Alarm): void | Promise<void>;
  /** Telling them failed: for the operator's own output. The call goes on waiting. */
  failed?(approval: ApprovalRecord, error: unknown): void;
}

/** What the protections did, for people. */
export interface Alarm extends Pick<Objection, "changes" | "marks" | "exceeded"> {
  readonly run: string;
  readonly agent: string;
  readonly environment: string;
  /** Runs and agents that have filled most of what they may of the record. */
  readonly quotas?: readonly QuotaMark[];
}

/**
 * What has to go out with a question or an alarm, as rows that its own transaction writes: whoever dies after it has not
 * forgotten to tell. Pure; a dispatcher sends them, at least once.
 */
export interface Outbox {
  asked(approval: ApprovalRecord): readonly StateRow[];
  /** `id` is the alarm's own, made for this. */
  alarmed(alarm: Alarm, id: string, now: number): readonly StateRow[];
}

/** A row written under compare-and-set: `expect` is the version it must have now, null when it must not exist yet. */
export interface RowWrite<Row> {
  readonly row: Row;
  readonly expect: number | null;
}

export const STATE_KINDS = [
  "act",
  "agent",
  "archive",
  "breaker",
  "grant",
  "hold",
  "outbox",
  "pending",
  "pot",
  "quota",
  "run",
  "sticky",
  "stops",
  "tree",
] as const;

/** What a state row is about; each kind has one module in core that says what its value holds. */
export type StateKind = (typeof STATE_KINDS)[number];

/** State beside calls and approvals: breakers, budgets, stops, grants, outgoing messages. Plain JSON under compare-and-set. */
export interface StateRow {
  readonly kind: StateKind;
  readonly id: string;
  /** Grows by one with every write, from 1. */
  readonly version: number;
  /** When somebody must look at it again, ms; null: never. */
  readonly due: number | null;
  /** Null removes the row: the next one under this id begins at version 1. */
  readonly value: Json;
}

/** State rows inside a transaction, as the store shows them to the code that steps them. */
export interface StateRows {
  get(kind: StateKind, id: string): Json | undefined;
  /** Null removes the row. */
  put(kind: StateKind, id: string, value: Json, due: number | null): void;
}

/** All of it happens, or nothing. Entries are appended in order, after every compare-and-set has held. */
export interface Transaction {
  readonly calls?: readonly RowWrite<CallRecord>[];
  readonly approvals?: readonly RowWrite<ApprovalRecord>[];
  readonly rows?: readonly RowWrite<StateRow>[];
  /** Stepped by `protect` inside the transaction, on the rows as they stand there. */
  readonly protection?: Protection;
  /** What it was decided on, if that was a run's history: written only where nothing has come to it since. */
  readonly unmoved?: Unmoved;
  readonly entries: readonly EntryDraft[];
  /** Whose quota of bytes the entries count in. Absent: nobody's. */
  readonly counted?: Counted;
  /** Parts of earlier entries whose bytes and salts are deleted for good; one of the entries says which. */
  readonly erase?: readonly ErasedParts[];
  /** What leaves the store for an archive; one of the entries says so, and the row `archive/base` holds what it rests on. */
  readonly archive?: ArchivedRows;
}

/** Entries before `to`, with their parts and the checkpoints over fewer, and rows that nothing later speaks of. */
export interface ArchivedRows {
  readonly to: number;
  /** Each with its number of entries: with another one it conflicts. */
  readonly runs: readonly { readonly id: string; readonly entries: number }[];
  readonly calls: readonly string[];
  readonly approvals: readonly string[];
}

/** A tree of runs as it was read: a new run in it, or a new entry of one, is another history. */
export interface Unmoved {
  readonly root: string;
  /** Version of the root's row `tree`; null: no sub-agent has a run of its own. */
  readonly tree: number | null;
  /** Entries of each of its runs. */
  readonly runs: readonly { readonly id: string; readonly entries: number }[];
}

export type CommitResult =
  /** `from` inclusive to `to` exclusive: the positions of its entries. */
  | {
      readonly ok: true;
      readonly from: number;
      readonly to: number;
      /** Absent: none. */
      readonly reached?: readonly QuotaMark[];
    }
  /** A compare-and-set did not hold; nothing was written. */
  | { readonly ok: false; readonly conflict: Conflict }
  /** The protections come to something else than the entries account for; nothing was written. */
  | { readonly ok: false; readonly objection: Objection };

/** The row whose compare-and-set did not hold; `run` also where `unmoved` does not. */
export interface Conflict {
  readonly kind: "call" | "approval" | StateKind;
  readonly id: string;
}

export interface RunSummary {
  readonly id: string;
  readonly agent: string;
  readonly environment: string;
  /** Entries of this run so far. */
  readonly entries: number;
  /** Store time of its first and last entry, ms. */
  readonly startedAt: number;
  readonly lastAt: number;
}

/** The tree over all entries: how many leaves, and the RFC 6962 root over them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** A row of the log's tables that no entry accounts for. `seq` is the position that it claims. */
export interface Stray {
  readonly seq: number;
  readonly where: "entry" | "part";
}

export interface LogStore {
  /** Identity of this log: random, made with the store, in every header. */
  readonly logId: string;
  /** This opening of the store: the writer named in the headers that it appends. */
  readonly writerId: string;
  head(): Promise<TreeHead>;
  /** Entries in order, `from` inclusive, at most `limit`. */
  entries(options: { from: number; limit: number; run?: string }): Promise<readonly StoredEntry[]>;
  /** Entries of a run that are about its calls, in order, `from` inclusive, at most `limit`. */
  callEntries(options: { run: string; from: number; limit: number }): Promise<readonly CallEntry[]>;
  /** Leaf hashes, `from` inclusive to `to` exclusive; fewer where the log ends before. For proofs and checkpoints. */
  leaves(options: { from: number; to: number }): Promise<readonly Uint8Array[]>;
  /** Signed notes over tree heads, oldest first. */
  checkpoints(): Promise<readonly { readonly size: number; readonly note: string }[]>;
  addCheckpoint(size: number, note: string): Promise<void>;
  /** Rows that belong to no entry, where the storage could hold such: for the verifier. */
  strays?(): Promise<readonly Stray[]>;
}

export type CallInState = Pick<CallRecord, "id" | "state">;

export interface StateStore {
  call(id: string): Promise<CallRecord | undefined>;
  /** The call that a caller's own key names, within its run. */
  callByKey(run: string, key: string): Promise<CallRecord | undefined>;
  /** Calls in one of these states, oldest first. Their rows are not read: one that is damaged stands in no other's way. */
  callsIn(states: readonly CallRecord["state"][], limit: number): Promise<readonly CallInState[]>;
  approval(id: string): Promise<ApprovalRecord | undefined>;
  /** Newest first. */
  approvals(options: { state?: ApprovalRecord["state"]; limit: number }): Promise<readonly ApprovalSummary[]>;
  run(id: string): Promise<RunSummary | undefined>;
  /** Newest first. */
  runs(options: { limit: number }): Promise<readonly RunSummary[]>;
  row(kind: StateKind, id: string): Promise<StateRow | undefined>;
  /** Rows of one kind in the order of their ids (UTF-8), from the first id after `after`. */
  rows(options: { kind: StateKind; after?: string; limit: number }): Promise<readonly StateRow[]>;
  /** Rows of one kind with `due` ≤ `by`, soonest first. */
  dueRows(options: { kind: StateKind; by: number; limit: number }): Promise<readonly StateRow[]>;
  /** Cheap; differs whenever any process has committed since the last time it was asked. For waiters. */
  changeToken(): Promise<string>;
  /** Writers (process openings) of this store that are surely gone: their executing calls have no owner any more. */
  deadWriters(): Promise<readonly string[]>;
}

export interface Store extends LogStore, StateStore {
  /**
   * Durable when it resolves.
   * @throws SafeRunError `record.unavailable`, `record.full`, `record.busy`, `record.quota`: nothing may be executed on it.
   */
  commit(transaction: Transaction): Promise<CommitResult>;
  /** Waits for what was accepted, then releases the store. */
  close(): Promise<void>;
}
