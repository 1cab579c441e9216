/** What `onPause` gets: the question as plain data, and a way to answer it from code. */
import {
  APPROVAL_SOURCE,
  type ApprovalRecord,
  type ApprovalSource,
  type DecisionAnswer,
  type DecisionPorts,
  decideApproval,
  type JsonObject,
  versionOf,
} from "@saferun/core";

export interface PausedAnswer {
  /** All arguments as the approver wants them; absent: as proposed. Only `editable` paths may differ. */
  readonly args?: JsonObject;
  /** Who answers, for the record; nobody has verified it. Default `code`. */
  readonly by?: string;
  /** With which roles, as the code that calls it states. Default `approver`. */
  readonly roles?: readonly string[];
  readonly note?: string;
}

/**
 * A call that waits for a person. Deeply frozen, plain data.
 *
 * `approve` and `deny` are for tests and for user interfaces of your own: whatever calls them decides as `code`, not
 * verified. Returning from `onPause`, with whatever value, decides nothing.
 *
 * @example
 * onPause: async (call) => {
 *   const amount = await ask(`refund ${call.args.amount}? ${call.reasons[0]?.reason}`);
 *   await call.approve({ args: { ...call.args, amount }, by: "ann" });
 * }
 */
export interface PausedCall {
  /** Of the approval request: what `saferun approvals` takes. */
  readonly id: string;
  readonly tool: string;
  readonly agent: string;
  readonly environment: string;
  /** As they stand: proposed, or edited by an approver before, for the next one to agree to. */
  readonly args: JsonObject;
  readonly reasons: readonly { readonly rule: string; readonly reason: string }[];
  /** Argument paths that the approver may change. */
  readonly editable: readonly string[];
  /** Where the question is put: the places of its routes. */
  readonly to: readonly string[];
  /** ISO 8601; silence until then denies. */
  readonly deadline: string;
  readonly runId: string;
  readonly callId: string;
  /** Where a person can decide, once there is such a page. */
  readonly url?: string;
  approve(answer?: PausedAnswer): Promise<DecisionAnswer>;
  deny(answer?: Omit<PausedAnswer, "args">): Promise<DecisionAnswer>;
  /** For channels; not enumerable, so that neither a log line nor a copy of the question carries it. */
  readonly [APPROVAL_SOURCE]: ApprovalSource;
}

export function pausedCall(approval: ApprovalRecord, ports: DecisionPorts): PausedCall {
  const places = approval.reasons.flatMap((reason) => reason.approval.to);
  const decide = (verdict: "approve" | "deny", { args, by, roles, note }: PausedAnswer = {}): Promise<DecisionAnswer> =>
    decideApproval(ports, {
      approval: approval.id,
      version: approval.version,
      verdict,
      by: { id: by ?? "code", via: "code", verified: false, ...(roles === undefined ? {} : { roles }) },
      ...(args === undefined ? {} : { args }),
      ...(note === undefined ? {} : { note }),
    });
  const call = {
    id: approval.id,
    tool: approval.tool,
    agent: approval.agent,
    environment: approval.environment,
    args: JSON.parse(versionOf(approval).bytes, (_, value: unknown) => Object.freeze(value)) as JsonObject,
    reasons: Object.freeze(approval.reasons.map(({ id, reason }) => Object.freeze({ rule: id, reason }))),
    editable: Object.freeze([...approval.editable]),
    to: Object.freeze([...new Set(places)]),
    deadline: new Date(approval.deadline).toISOString(),
    runId: approval.run,
    callId: approval.call,
    approve: (answer?: PausedAnswer) => decide("approve", answer),
    deny: (answer?: PausedAnswer) => decide("deny", answer),
    [APPROVAL_SOURCE]: { approval, ports },
  };
  return Object.freeze(Object.defineProperty(call, APPROVAL_SOURCE, { enumerable: false }));
}
