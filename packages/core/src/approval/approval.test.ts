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
  clockBehindMs: 0,
};

const terms = {
  route: "default",
  to: [],
  roles: ["approver"],
  need: 1,
  withinMs: 1_000,
  after: [{ afterMs: 400, to: ["cli"] }],
  show: [],
  editable: [],
};

function approval(state: ApprovalState): ApprovalRecord {
  return {
    id: "appr_1",
    version: 3,
    since: 3,
    state,
    call: "call_1",
    run: "run_1",
    tool: "refund",
    agent: "bot",
    environment: "prod",
    digest: "d1",
    bytes: "{}",
    reasons: [{ id: "ask", digest: "r1", reason: "", approval: terms }],
    editable: [],
    requesters: [],
    edit: null,
    votes: [],
    escalated: 0,
    createdAt: 0,
    deadline: 1_000,
    decision: state === "approved" || state === "denied" || state === "consumed" ? decision : null,
  };
}

const STATES: readonly ApprovalState[] = [
  "pending",
  "suspended",
  "approved",
  "denied",
  "expired",
  "withdrawn",
  "consumed",
];
const EVENTS: Readonly<Record<string, ApprovalEvent>> = {
  approve: { type: "decide", version: 3, decision, now: 500 },
  deny: { type: "decide", version: 3, decision: { ...decision, verdict: "deny" }, now: 500 },
  "approve an old version": { type: "decide", version: 2, decision, now: 500 },
  "approve a version that is not there yet": { type: "decide", version: 4, decision, now: 500 },
  "approve without the role": {
    type: "decide",
    version: 3,
    decision: { ...decision, by: { ...decision.by, roles: ["support"] } },
    now: 500,
  },
  "escalate early": { type: "escalate", now: 399 },
  escalate: { type: "escalate", now: 500 },
  "escalate late": { type: "escalate", now: 1_000 },
  suspend: { type: "suspend", now: 500 },
  resume: { type: "resume", now: 500 },
  "resume late": { type: "resume", now: 1_000 },
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
  "pending × escalate": "pending",
  "pending × suspend": "suspended",
  "suspended × deny": "denied",
  "suspended × resume": "pending",
  "suspended × expire": "expired",
  "suspended × withdraw": "withdrawn",
  "approved × suspend": "suspended",
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
    expect(reason("pending", "approve without the role")).toBe("not-allowed");
    expect(reason("suspended", "approve")).toBe("suspended");
    expect(reason("expired", "approve")).toBe("expired");
    expect(reason("pending", "approve other arguments unedited")).toBe("mismatch");
  });
});
