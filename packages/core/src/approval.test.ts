import { describe, expect, it } from "vitest";
import {
  type ApprovalDecision,
  type ApprovalEvent,
  type ApprovalRecord,
  type ApprovalState,
  stepApproval,
} from "./approval.ts";

const decision: ApprovalDecision = {
  verdict: "approve",
  by: { id: "local:ana", via: "cli", verified: false },
  at: 500,
  note: null,
  digest: "d1",
  bytes: "{}",
  edited: false,
  validUntil: 2_000,
};

function approval(state: ApprovalState): ApprovalRecord {
  return {
    id: "appr_1",
    version: 3,
    state,
    call: "call_1",
    run: "run_1",
    tool: "refund",
    agent: "bot",
    environment: "prod",
    digest: "d1",
    bytes: "{}",
    reasons: [],
    editable: [],
    createdAt: 0,
    deadline: 1_000,
    decision: state === "approved" || state === "denied" || state === "consumed" ? decision : null,
  };
}

const STATES: readonly ApprovalState[] = ["pending", "approved", "denied", "expired", "withdrawn", "consumed"];
const EVENTS: Readonly<Record<string, ApprovalEvent>> = {
  approve: { type: "decide", version: 3, decision, now: 500 },
  deny: { type: "decide", version: 3, decision: { ...decision, verdict: "deny" }, now: 500 },
  "approve an old version": { type: "decide", version: 2, decision, now: 500 },
  "approve late": { type: "decide", version: 3, decision, now: 1_000 },
  "approve other arguments unedited": { type: "decide", version: 3, decision: { ...decision, digest: "d2" }, now: 500 },
  "expire early": { type: "expire", now: 500 },
  expire: { type: "expire", now: 2_000 },
  withdraw: { type: "withdraw", now: 500 },
  consume: { type: "consume", digest: "d1", now: 600 },
  "consume late": { type: "consume", digest: "d1", now: 2_000 },
  "consume other arguments": { type: "consume", digest: "d2", now: 600 },
};

/** Every state × event that has an effect; all others must change nothing. */
const EFFECTS: Readonly<Record<string, ApprovalState>> = {
  "pending × approve": "approved",
  "pending × deny": "denied",
  "pending × expire": "expired",
  "pending × withdraw": "withdrawn",
  "approved × expire": "expired",
  "approved × withdraw": "withdrawn",
  "approved × consume": "consumed",
};

describe("approval states × events", () => {
  const table = STATES.flatMap((state) => Object.keys(EVENTS).map((event) => [state, event] as const));
  it.each(table)("%s × %s", (state, name) => {
    const before = approval(state);
    const event = EVENTS[name];
    if (event === undefined) throw new Error(name);
    const step = stepApproval(before, event);
    const expected = EFFECTS[`${state} × ${name}`];
    if (expected === undefined) {
      expect(step.ok).toBe(false);
    } else {
      expect(step).toMatchObject({ ok: true, approval: { state: expected, version: before.version + 1 } });
    }
  });

  it("names the answers that a channel must show", () => {
    const reason = (state: ApprovalState, name: string) => {
      const event = EVENTS[name];
      const step = event === undefined ? undefined : stepApproval(approval(state), event);
      return step?.ok === false ? step.reason : "applied";
    };
    expect(reason("denied", "approve")).toBe("already-decided");
    expect(reason("consumed", "approve")).toBe("already-decided");
    expect(reason("pending", "approve an old version")).toBe("stale-version");
    expect(reason("pending", "approve late")).toBe("expired");
    expect(reason("expired", "approve")).toBe("expired");
    expect(reason("pending", "approve other arguments unedited")).toBe("mismatch");
  });
});
