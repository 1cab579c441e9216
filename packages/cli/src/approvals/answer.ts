/** An answer as the terminal and its page show it: the five answers of every channel, and what this account can do. */
import { type Answered, type ApprovalState, answeredOf, type DecisionAnswer } from "@saferun/core";
import { approvalJson } from "@saferun/server/wire";
import { printable } from "../output/printable.ts";

export function answered(result: DecisionAnswer): Answered {
  const answer = answeredOf(result);
  return { ...answer, message: `${answer.message}${roleHint(result)}` };
}

/** What this account can do about a refusal. */
export function roleHint(result: DecisionAnswer): string {
  if (result.status !== "refused" || result.reason !== "not-allowed") return "";
  return result.message.startsWith("this asks for the role")
    ? "; `SAFERUN_ROLES` says which roles this account has"
    : "";
}

export function answerJson({ answer, message, approval }: Answered, now: number): object {
  return { answer, message, approval: approval === undefined ? null : approvalJson(approval, now) };
}

/** Who it was, with what is known of them. */
export function approverText(by: { readonly id: string; readonly verified: boolean }): string {
  return `${printable(by.id)}${by.verified ? "" : ", not verified"}`;
}

/** The state in people's words: an approval that is consumed has let its call start, once. */
export function stateText(state: ApprovalState): string {
  return state === "consumed" ? "approved and used" : state;
}
