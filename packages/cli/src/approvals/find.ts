/** Which approvals a command means. */
import { type ApprovalRecord, type ApprovalSummary, approvalState, type Store } from "@saferun/core";
import { failed, usage } from "../exit.ts";
import { printable } from "../output/printable.ts";

const LIST_LIMIT = 1_000;
/** Shorter beginnings of an id would too easily mean another one. */
const PREFIX_LENGTH = "appr_".length + 6;

/** Those that wait, or all; the newest first. */
export async function listApprovals(store: Store, now: number, all: boolean): Promise<ApprovalSummary[]> {
  if (all) return [...(await store.approvals({ limit: LIST_LIMIT }))];
  const pending = await store.approvals({ state: "pending", limit: LIST_LIMIT });
  return pending.filter((approval) => approvalState(approval, now) === "pending");
}

/** By its id, or by a beginning that only one of the newest has. */
export async function findApproval(store: Store, id: string): Promise<ApprovalRecord> {
  const exact = await store.approval(id);
  if (exact !== undefined) return exact;
  const start = id.replace(/…$|\.{3}$/, "");
  const shown = `\`${printable(id)}\``;
  const found =
    start.length < PREFIX_LENGTH
      ? []
      : (await store.approvals({ limit: LIST_LIMIT })).filter((approval) => approval.id.startsWith(start));
  const [first, second] = found;
  if (start.length < PREFIX_LENGTH && start.startsWith("appr_"))
    throw usage(`${shown} is too short: give \`appr_\` and at least six characters more`);
  if (first === undefined) {
    throw failed("approval.missing", `there is no approval ${shown}; \`saferun approvals list --all\` shows them`);
  }
  if (second !== undefined) throw usage(`${shown} is the start of ${found.length} approvals; give more of it`);
  const approval = await store.approval(first.id);
  if (approval === undefined) throw failed("approval.missing", `there is no approval ${shown} any more`);
  return approval;
}
