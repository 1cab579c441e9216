/** Which approvals a command means. */
import { type ApprovalRecord, type ApprovalSummary, approvalState, type Store } from "@saferun/core";
import { failed, usage } from "../exit.ts";
import { isTypedId, meantBy } from "../output/ids.ts";
import { printable } from "../output/printable.ts";

const LIST_LIMIT = 1_000;

/** Those that wait, or all; the newest first. */
export async function listApprovals(store: Store, now: number, all: boolean): Promise<ApprovalSummary[]> {
  if (all) return [...(await store.approvals({ limit: LIST_LIMIT }))];
  const pending = await store.approvals({ state: "pending", limit: LIST_LIMIT });
  return pending.filter((approval) => approvalState(approval, now) === "pending");
}

/** By its id, a start or an end of it, or its short form, which only one of the newest has. */
export async function findApproval(store: Store, id: string): Promise<ApprovalRecord> {
  const exact = await store.approval(id);
  if (exact !== undefined) return exact;
  const shown = `\`${printable(id)}\``;
  if (!isTypedId(id) && id.startsWith("appr_"))
    throw usage(
      `${shown} is too short: give six characters of its start or end at least, as \`saferun approvals\` does`,
    );
  const found = meantBy(await store.approvals({ limit: LIST_LIMIT }), id, "approvals", ({ tool }) => tool);
  if (found === undefined) {
    throw failed("approval.missing", `there is no approval ${shown}; \`saferun approvals list --all\` shows them`);
  }
  const approval = await store.approval(found.id);
  if (approval === undefined) throw failed("approval.missing", `there is no approval ${shown} any more`);
  return approval;
}
