/**
 * One entry of the log, format v1 (record.md): a header whose bytes are the leaf, and salted parts beside it.
 *
 * The header carries no free text and no personal data: ids, numbers, rule ids, and a commitment for each part. A part can
 * be erased later (bytes and salt) and the tree still verifies.
 */
import type { Verdict } from "../decision.ts";
import type { Keeping } from "../keeping.ts";

/** The closed list of entry types. Adding one is a change of the format's reference, not of its version. */
export const ENTRY_TYPES = [
  "log.opened",
  "log.recovered",
  "log.rotated",
  "log.erased",
  "log.archived",
  "log.restored",
  "log.exported",
  "payload.viewed",
  "policy.activated",
  "policy.rejected",
  "run.started",
  "model.messages",
  "model.requested",
  "model.refused",
  "model.responded",
  "model.failed",
  "model.lost",
  "call.proposed",
  "call.decided",
  "call.executing",
  "call.finished",
  "call.lost",
  "approval.requested",
  "approval.voted",
  "approval.escalated",
  "approval.suspended",
  "approval.resumed",
  "approval.decided",
  "approval.expired",
  "approval.withdrawn",
  "approval.consumed",
  "denial.lifted",
  "grant.revoked",
  "breaker.stopped",
  "breaker.open",
  "breaker.half_open",
  "breaker.closed",
  "breaker.reset",
  "budget.marked",
  "budget.exceeded",
  "budget.raised",
  "call.reconciled",
  "stop.placed",
  "stop.lifted",
  "operator.refused",
  "clock.jumped",
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** What the gate knows of an entry; the store adds log, writer, numbers, previous leaves and time, inside the commit. */
export interface EntryDraft {
  readonly type: EntryType;
  readonly run?: string;
  /** Model turn within the run, from 0. */
  readonly step?: number;
  readonly call?: string;
  /** The call in whose execution this happened: of a sub-agent, or of a tool that calls tools. May be of the run around. */
  readonly within?: string;
  /** A call of a model; its question and its answer carry the same. */
  readonly model?: string;
  /** The tool's name, only where the gate knows the tool: a name made up by a model is free text and goes into a part. */
  readonly tool?: string;
  /** Its plain name, or the id that stands for any other (`agentId`). */
  readonly agent?: string;
  readonly environment?: string;
  readonly verdict?: Verdict;
  /** Rule ids of the decision. */
  readonly rules?: readonly string[];
  readonly revision?: string;
  readonly approval?: string;
  readonly outcome?: "succeeded" | "failed" | "unknown";
  readonly parts?: readonly PartDraft[];
  /** How its content is to be kept; applied before it is stored (`keepContent`), and refused by whoever appends it. */
  readonly keep?: Keeping;
}

/** A piece of content. The gate makes the salt, so that it can name the commitment before the commit. */
export interface PartDraft {
  /** Lower-case word or path: `arguments`, `result`, `prompt`, `message/3`. */
  readonly name: string;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
  /** JSON pointers to what was masked in it: the entry's part `redacted` lists them. */
  readonly masked?: readonly string[];
}

/** `bytes` and `salt` are null after an erasure. */
export interface StoredPart {
  readonly name: string;
  readonly salt: Uint8Array | null;
  readonly bytes: Uint8Array | null;
  /** Never stored: the key that it is sealed with, where who reads it tried to open it in vain. Its bytes are null then. */
  readonly sealed?: string;
}

export interface StoredEntry {
  /** Position in the tree, from 0. */
  readonly seq: number;
  /** Canonical JSON of the header, exactly as hashed. Verify these bytes, never a re-serialisation. */
  readonly header: Uint8Array;
  /** RFC 6962 leaf hash: SHA-256(0x00 ‖ header). */
  readonly leaf: Uint8Array;
  /** In the order of their names. */
  readonly parts: readonly StoredPart[];
  /**
   * What the storage keeps beside the header to find the entry by: `run`, its id or null; `parts`, their number. The
   * verifier compares them with the header, so that a changed column cannot hide or move an entry.
   */
  readonly columns?: { readonly run: string | null; readonly parts: number };
}
