/**
 * What a person has denied stays denied: the same tool with the same identity arguments (all arguments where none are
 * declared), in the run and its sub-agents, and for its principal for a day (calls.md, Approvals). A rule's denial answers
 * again by itself and is never kept, so that the corrected call can pass.
 */
import type { ApprovalAnswer, ApprovalRecord } from "../approval/approval.ts";
import type { Approver } from "../approval/quorum.ts";
import { callKeys } from "../breaker/loop/fingerprint.ts";
import type { ToolCall } from "../call.ts";
import type { Decision } from "../decision.ts";
import { part } from "../gate/record.ts";
import type { Run } from "../gate/run.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Clock, Hash, Random, RowWrite, StateRow, Store } from "../ports.ts";
import { isEffectful } from "../traits.ts";

const DAY_MS = 86_400_000;

/** The rows that a denial of this call stands in: its run's, and its principal's where there is one. */
export function stickyIds(
  run: Run,
  { tool, args, bytes, environment }: ToolCall,
  set: PolicySet,
  hash: Hash,
): string[] {
  const { identity, kind } = set.traits(tool);
  const { identityKey, callKey } = callKeys(
    { tool, args, bytes },
    identity === undefined ? { kind } : { kind, identity },
    hash,
  );
  const what = `${environment}/${identityKey ?? callKey}`;
  const principal = run.principal.id === "" ? [] : [`principal/${JSON.stringify(run.principal.id)}/${what}`];
  return [`run/${run.root}/${what}`, ...principal];
}

/**
 * The denial of a call that a person has denied before; undefined where nobody has, or where it changes nothing outside.
 * `since`: of what a person approved then, for whom only a later denial counts.
 */
export async function stickyDenial(
  store: Store,
  run: Run,
  call: ToolCall,
  heard: Decision,
  of: { readonly set: PolicySet; readonly hash: Hash; readonly now: number; readonly since?: number },
): Promise<Decision | undefined> {
  const { set, hash, now, since } = of;
  if (heard.verdict === "deny" || !isEffectful(set.kind(call.tool)) || set.observes(call.environment)) return undefined;
  for (const id of stickyIds(run, call, set, hash)) {
    const row = await store.row("sticky", id);
    if (row === undefined || (row.due !== null && now >= row.due)) continue;
    const { approval, note } = deniedBefore(row);
    if (since !== undefined && (await deniedAt(store, approval)) < since) continue;
    const reason = `a person denied this call before${note === "" ? "" : `: ${note}`}`;
    const { revision, rules } = heard;
    return { verdict: "deny", by: [`sticky:${approval}`], reason, revision, rules, pauses: [] };
  }
  return undefined;
}

/** What stands after a person's no, in the transaction that records it. */
export async function stickyRows(
  store: Store,
  approval: ApprovalRecord,
  answer: ApprovalAnswer,
): Promise<RowWrite<StateRow>[]> {
  const value = { approval: approval.id, by: answer.by.id, note: answer.note ?? "" };
  const due = answer.at + DAY_MS;
  return Promise.all(
    (approval.sticky ?? []).map(async (id) => {
      const before = await store.row("sticky", id);
      const version = (before?.version ?? 0) + 1;
      const row: StateRow = { kind: "sticky", id, version, due: id.startsWith("run/") ? null : due, value };
      return { row, expect: before?.version ?? null };
    }),
  );
}

export interface LiftPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A person takes back what was denied: the same call is judged as if nobody had denied it. False: it does not stand (any
 * more), or somebody else was first.
 */
export async function liftDenial(
  { store, random }: LiftPorts,
  approvalId: string,
  { by, why }: { readonly by: Approver; readonly why: string },
): Promise<boolean> {
  const approval = await store.approval(approvalId);
  const standing = await Promise.all((approval?.sticky ?? []).map((id) => store.row("sticky", id)));
  const rows = standing
    .filter((row) => row !== undefined && deniedBefore(row).approval === approvalId)
    .flatMap((row) => (row === undefined ? [] : [removal(row)]));
  if (approval === undefined || rows.length === 0) return false;
  const { run, call } = approval;
  const entry = {
    type: "denial.lifted",
    run,
    call,
    approval: approvalId,
    parts: [part("actor", { by, why }, random)],
  } as const;
  return (await store.commit({ rows, entries: [entry] })).ok;
}

export function removal(row: StateRow): RowWrite<StateRow> {
  return { row: { ...row, version: row.version + 1, due: null, value: null }, expect: row.version };
}

/** A denial of which nothing more is known is as new as can be. */
async function deniedAt(store: Store, approval: string): Promise<number> {
  return (await store.approval(approval))?.decision?.at ?? Number.POSITIVE_INFINITY;
}

function deniedBefore({ value }: StateRow): { readonly approval: string; readonly note: string } {
  const { approval, note } = (value ?? {}) as { readonly approval?: unknown; readonly note?: unknown };
  return { approval: typeof approval === "string" ? approval : "unknown", note: typeof note === "string" ? note : "" };
}
