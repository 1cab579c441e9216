/** How an approval stands now. A pending one whose deadline is over counts as expired before anybody has written it down. */
import type { ApprovalRecord, ApprovalState } from "@saferun/core";

export function approvalStatus(approval: ApprovalRecord, now: number): ApprovalState {
  const { state, deadline, decision } = approval;
  if (state === "pending" && now >= deadline) return "expired";
  if (state === "approved" && decision !== null && now >= decision.validUntil) return "expired";
  return state;
}

/** The state in people's words: an approval that is consumed has let its call start, once. */
export function stateText(state: ApprovalState): string {
  return state === "consumed" ? "approved and used" : state;
}
