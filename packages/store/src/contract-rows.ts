/** Rows and entries that the cases of the contract are made of. */
import { type ApprovalRecord, type CallRecord, type EntryDraft, encodePart, type Store, toHex } from "@saferun/core";
import { nodeRandom } from "./node/ports.ts";

export function draft(type: EntryDraft["type"], fields: Partial<EntryDraft> = {}): EntryDraft {
  const parts = [
    { name: "result", salt: nodeRandom.bytes(32), bytes: encodePart({ type }) },
    { name: "arguments", salt: nodeRandom.bytes(32), bytes: encodePart("") },
  ];
  return { type, parts, ...fields };
}

export function write<Row>(row: Row, expect: number | null): { row: Row; expect: number | null } {
  return { row, expect };
}

export function call(id: string, fields: Partial<CallRecord> = {}): CallRecord {
  return {
    id,
    version: 1,
    state: "executing",
    run: "run",
    root: "run",
    key: null,
    tool: "refund",
    agent: "support",
    environment: "prod",
    proposed: "d",
    digest: "d",
    bytes: '{"amount":1}',
    revision: "r",
    approval: null,
    owner: "w",
    fence: 1,
    leaseUntil: 5,
    createdAt: 1,
    updatedAt: 1,
    ...fields,
  };
}

export function approval(id: string, fields: Partial<ApprovalRecord> = {}): ApprovalRecord {
  return {
    id,
    version: 1,
    since: 1,
    state: "pending",
    call: "c",
    run: "run",
    tool: "refund",
    agent: "support",
    environment: "prod",
    digest: "d",
    bytes: "{}",
    reasons: [],
    editable: ["amount"],
    requesters: [],
    edit: null,
    votes: [],
    escalated: 0,
    createdAt: 1,
    deadline: 9,
    decision: null,
    ...fields,
  };
}

/** What two openings of a store must agree on. */
export async function head(store: Store): Promise<{ size: number; root: string }> {
  const { size, root } = await store.head();
  return { size, root: toHex(root) };
}
