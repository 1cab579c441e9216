/** What the agent is told of a call that did not run: third person, the rule, what to do; never "try again" (traps.md, 27). */
import type { ApprovalRecord } from "../approval/approval.ts";
import type { Malformed } from "../call.ts";
import type { Decision, Denial, PauseReason } from "../decision.ts";
import { type ErrorCode, SafeRunError, unreachable } from "../errors.ts";
import type { CallRecord } from "../lifecycle.ts";

export function denialOf(callId: string, tool: string, decision: Pick<Decision, "by" | "reason" | "fix">): Denial {
  return {
    status: "denied",
    callId,
    tool,
    rules: decision.by,
    reason: decision.reason,
    ...(decision.fix === undefined ? {} : { fix: decision.fix }),
    retry: false,
  };
}

export function malformedDenial(callId: string, tool: unknown, malformed: Malformed): Denial {
  const reason = `the call is malformed at ${malformed.path}: ${malformed.message}`;
  return { status: "denied", callId, tool: shown(tool), rules: ["call.malformed"], reason, retry: false };
}

export function deniedByPerson(
  call: Pick<CallRecord, "id" | "tool">,
  approval: {
    readonly reasons: readonly Pick<PauseReason, "id">[];
    readonly decision: { readonly note: string | null } | null;
  },
): Denial {
  const note = approval.decision?.note;
  const reason = note ? `a person denied this call: ${note}` : "a person denied this call";
  return {
    status: "denied",
    callId: call.id,
    tool: call.tool,
    rules: approval.reasons.map((reason) => reason.id),
    reason,
    retry: false,
  };
}

/** For a caller that waits no longer. The call stands as it is: asked again with its key, it runs once it is approved. */
export function pendingAnswer(call: CallRecord, approval: ApprovalRecord): Denial {
  return {
    status: "pending",
    callId: call.id,
    tool: call.tool,
    rules: approval.reasons.map((reason) => reason.id),
    reason: `the call waits for a person (pending ${approval.id})`,
    fix: "Once a person has approved it, the same call with the same arguments runs, once. Until then it is answered like this.",
    approval: approval.id,
    retry: true,
  };
}

/** The call is over or already under way, and this request does not run it. */
export function repeatedDenial(
  call: Pick<CallRecord, "id" | "tool" | "state">,
  why: "mismatch" | "repeated" | "expired" | "aborted",
): Denial {
  const base = { callId: call.id, tool: call.tool, retry: false } as const;
  switch (why) {
    case "mismatch":
      return {
        ...base,
        status: "denied",
        rules: ["call.mismatch"],
        reason: "the same call id was used before with other arguments",
      };
    case "repeated":
      return {
        ...base,
        status: "denied",
        rules: ["call.repeated"],
        reason: `the same call was made before and is ${call.state}; it does not run twice`,
      };
    case "expired":
      return { ...base, status: "expired", rules: ["approval.expired"], reason: "nobody approved this call in time" };
    case "aborted":
      return {
        ...base,
        status: "aborted",
        rules: ["call.aborted"],
        reason: "the caller gave up before the call was allowed to run",
      };
    default:
      return unreachable(why);
  }
}

export function unavailableDenial(callId: string, tool: unknown, error: unknown): Denial {
  const known = error instanceof SafeRunError;
  return {
    status: "unavailable",
    callId,
    tool: shown(tool),
    rules: [known ? error.code : "internal.error"],
    reason: known
      ? (NEEDS_A_PERSON[error.code] ?? `the call could not be recorded, so it did not run (${error.code})`)
      : "the gate failed, so the call did not run",
    retry: known && error.retryable,
  };
}

const NEEDS_A_PERSON: Readonly<Partial<Record<ErrorCode, string>>> = {
  "record.quota": "this run, or its agent today, has recorded as much as it may: no call of it runs (record.quota)",
  "record.restored":
    "the record was restored from a backup: no call runs until a person has reconciled it (record.restored)",
};

function shown(tool: unknown): string {
  return typeof tool === "string" ? tool.slice(0, 128).toWellFormed() : "";
}
