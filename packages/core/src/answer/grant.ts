/**
 * Grants: what people have permitted for a while, so that they are not asked the same again (calls.md, Approvals).
 *
 * A grant is no rule. It discharges exactly the pause reasons that its approvers saw, by rule and digest, and only those
 * that say `grantable`; it never touches a denial, a budget, a breaker or a stop. It holds for one tool in one run (its
 * sub-agents included), for calls whose named arguments are the same, until it is over, used up or revoked, and is used in
 * the transaction that claims the call.
 */
import type { ApprovalRecord } from "../approval/approval.ts";
import type { Approver, GrantTerms } from "../approval/quorum.ts";
import type { ToolCall } from "../call.ts";
import type { Decision } from "../decision.ts";
import { part } from "../gate/record.ts";
import { valueAt } from "../policy/argument-path.ts";
import type { Clock, Random, RowWrite, StateRow, Store } from "../ports.ts";
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { removal } from "./sticky.ts";

const LONGEST_MS = 86_400_000;
const MOST_CALLS = 1_000;

/** Undefined: it can be granted; else why not, in one line. */
export function grantFault(approval: ApprovalRecord, { same, forMs, count, sum }: GrantTerms): string | undefined {
  const fixed = approval.reasons.find((reason) => reason.approval.grantable !== true);
  if (fixed !== undefined) return `\`${fixed.id}\` does not say \`grantable: true\``;
  if (!isCount(forMs, LONGEST_MS)) return "a grant holds for at most a day";
  if (!isCount(count, MOST_CALLS)) return `a grant holds for 1 to ${MOST_CALLS} calls`;
  if (sum !== undefined && !isCount(sum.most, Number.MAX_SAFE_INTEGER))
    return "a grant's sum is a whole number above 0";
  const wrong = [...same, ...(sum === undefined ? [] : [sum.path])].find((path) => !PATH.test(path));
  return wrong === undefined ? undefined : `\`${wrong}\` is no path of an argument`;
}

const PATH = /^[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*$/;

/** Where the grants of a run for its principal stand. */
export function grantScope(root: string, principal: string): string {
  return `${JSON.stringify([root, principal])}/`;
}

/** The row of a grant that was just decided, where everybody who agreed to the call agreed to the same grant. */
export function grantRow(approval: ApprovalRecord): RowWrite<StateRow> | undefined {
  const { decision, votes, scope } = approval;
  const terms = decision?.grant;
  if (decision?.verdict !== "approve" || terms === undefined || scope === undefined) return undefined;
  const agreed = canonicalJson(terms);
  if (!votes.every(({ grant }) => grant !== undefined && canonicalJson(grant) === agreed)) return undefined;
  const args = JSON.parse(decision.bytes) as JsonObject;
  const value: GrantValue = {
    approval: approval.id,
    tool: approval.tool,
    agent: approval.agent,
    environment: approval.environment,
    reasons: approval.reasons.map(({ id, digest }) => ({ id, digest })),
    same: terms.same.map((path) => [path, textAt(args, path)] as const),
    until: decision.at + terms.forMs,
    count: terms.count,
    sum: terms.sum === undefined ? null : { path: terms.sum.path, left: terms.sum.most },
  };
  const id = `${scope}${approval.id}`;
  return { row: { kind: "grant", id, version: 1, due: value.until, value: json(value) }, expect: null };
}

export interface Granted {
  readonly decision: Decision;
  /** Used with the claim, in its transaction. */
  readonly write: RowWrite<StateRow>;
}

/** A pause that one grant of this run discharges whole; undefined where none does. */
export async function granted(
  store: Store,
  scope: string,
  call: ToolCall,
  heard: Decision,
  now: number,
): Promise<Granted | undefined> {
  if (heard.verdict !== "pause" || !heard.pauses.every(({ approval }) => approval.grantable === true)) return undefined;
  for (const row of await store.rows({ kind: "grant", after: scope, limit: MOST_GRANTS })) {
    if (!row.id.startsWith(scope)) break;
    const used = use(row, call, heard, now);
    if (used !== undefined) return used;
  }
  return undefined;
}

const MOST_GRANTS = 100;

function use(row: StateRow, call: ToolCall, heard: Decision, now: number): Granted | undefined {
  const grant = grantOf(row.value);
  if (grant === undefined || now >= grant.until || grant.count < 1) return undefined;
  if (grant.tool !== call.tool || grant.agent !== call.agent || grant.environment !== call.environment)
    return undefined;
  const seen = ({ id, digest }: { readonly id: string; readonly digest: string }) =>
    grant.reasons.some((reason) => reason.id === id && reason.digest === digest);
  if (!heard.pauses.every(seen)) return undefined;
  if (!grant.same.every(([path, value]) => textAt(call.args, path) === value)) return undefined;
  const sum = spent(grant.sum, call.args);
  if (sum === undefined) return undefined;
  const value = json({ ...grant, count: grant.count - 1, sum });
  const { revision, rules, reason, changed } = heard;
  return {
    decision: {
      verdict: "allow",
      by: [`grant:${grant.approval}`],
      reason,
      revision,
      rules,
      pauses: [],
      ...(changed === undefined ? {} : { changed }),
    },
    write: { row: { ...row, version: row.version + 1, value }, expect: row.version },
  };
}

/** What is left of the sum after this call; undefined where it is not enough, or where the amount cannot be told. */
function spent(sum: GrantValue["sum"], args: JsonObject): GrantValue["sum"] | undefined {
  if (sum === null) return null;
  const amount = at(args, sum.path);
  if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < 0 || amount > sum.left) return undefined;
  return { ...sum, left: sum.left - amount };
}

/** Ends a grant. False: it does not stand (any more), or somebody else was first. */
export async function revokeGrant(
  { store, random }: { readonly store: Store; readonly clock: Clock; readonly random: Random },
  approvalId: string,
  { by, why }: { readonly by: Approver; readonly why: string },
): Promise<boolean> {
  const approval = await store.approval(approvalId);
  const row = approval?.scope === undefined ? undefined : await store.row("grant", `${approval.scope}${approvalId}`);
  if (approval === undefined || row === undefined) return false;
  const parts = [part("actor", { by, why }, random)];
  const { run, call } = approval;
  const entry = { type: "grant.revoked", run, call, approval: approvalId, parts } as const;
  return (await store.commit({ rows: [removal(row)], entries: [entry] })).ok;
}

interface GrantValue {
  readonly approval: string;
  readonly tool: string;
  readonly agent: string;
  readonly environment: string;
  readonly reasons: readonly { readonly id: string; readonly digest: string }[];
  /** Path → canonical value. */
  readonly same: readonly (readonly [path: string, value: string])[];
  readonly until: number;
  /** Left. */
  readonly count: number;
  readonly sum: { readonly path: string; readonly left: number } | null;
}

/** What is stored is not believed to be what was written here. */
function grantOf(value: Json): GrantValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { approval, tool, agent, environment, reasons, same, until, count, sum } = value as Record<string, Json>;
  const texts = [approval, tool, agent, environment].every((text) => typeof text === "string");
  if (!texts || typeof until !== "number" || typeof count !== "number") return undefined;
  if (!Array.isArray(reasons) || !Array.isArray(same) || sum === undefined) return undefined;
  if (!same.every((pair) => Array.isArray(pair) && pair.length === 2)) return undefined;
  if (sum !== null && typeof (sum as Record<string, Json>).left !== "number") return undefined;
  return value as Json & GrantValue;
}

function json(value: GrantValue): Json {
  return JSON.parse(canonicalJson(value)) as Json;
}

function at(args: JsonObject, path: string): Json | undefined {
  return valueAt(args, path.split("."));
}

/** Canonical; empty where there is nothing, which is no value's text. */
function textAt(args: JsonObject, path: string): string {
  const value = at(args, path);
  return value === undefined ? "" : canonicalJson(value);
}

function isCount(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && value <= most;
}
