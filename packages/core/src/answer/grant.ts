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
import { type ToolCall, toHex } from "../call.ts";
import type { Decision } from "../decision.ts";
import { part } from "../gate/record.ts";
import { storeTime } from "../gate/store-time.ts";
import { valueAt } from "../policy/argument-path.ts";
import type { Clock, Hash, Random, RowWrite, StateRow, Store } from "../ports.ts";
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { GRANT_CALLS, GRANT_WINDOWS, givenGrant, isGrantable } from "./grant-offer.ts";
import { removal } from "./sticky.ts";

const LONGEST_MS = Math.max(...Object.values(GRANT_WINDOWS));

/** Undefined: it can be granted; else why not, in one line. */
export function grantFault(approval: ApprovalRecord, { same, forMs, count, sum }: GrantTerms): string | undefined {
  const fixed = approval.reasons.find((reason) => reason.approval.grantable !== true);
  if (fixed !== undefined) return `\`${fixed.id}\` does not say \`grantable: true\``;
  if (!isCount(forMs, LONGEST_MS)) return "a grant holds for at most a day";
  if (!isCount(count, GRANT_CALLS)) return `a grant holds for 1 to ${GRANT_CALLS} calls`;
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

/** The row of a grant that was just decided, where as many people agreed to it as the call itself needs. */
export function grantRow(approval: ApprovalRecord, hash: Hash): RowWrite<StateRow> | undefined {
  const { decision, scope } = approval;
  const terms = givenGrant(approval);
  if (decision === null || terms === undefined) return undefined;
  const args = JSON.parse(decision.bytes) as JsonObject;
  // What an approver added is none of what was offered to differ.
  const proposed = JSON.parse(approval.bytes) as JsonObject;
  const same = [...new Set([...terms.same, ...Object.keys(args).filter((name) => !Object.hasOwn(proposed, name))])];
  const value: GrantValue = {
    approval: approval.id,
    tool: approval.tool,
    agent: approval.agent,
    environment: approval.environment,
    reasons: approval.reasons.map(({ id, digest }) => ({ id, digest })),
    same: same.map((path) => [path, markOf(hash, approval.id, path, args)] as const),
    names: Object.keys(args),
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
  { clock, hash }: { readonly clock: Clock; readonly hash: Hash },
): Promise<Granted | undefined> {
  if (heard.verdict !== "pause" || !isGrantable(heard.pauses)) return undefined;
  const rows = await store.rows({ kind: "grant", after: scope, limit: MOST_GRANTS });
  if (rows[0]?.id.startsWith(scope) !== true) return undefined;
  // A clock that went back makes no grant longer.
  const { now } = await storeTime(store, clock);
  for (const row of rows) {
    if (!row.id.startsWith(scope)) break;
    const used = use(row, call, heard, now, hash);
    if (used !== undefined) return used;
  }
  return undefined;
}

const MOST_GRANTS = 100;

function use(row: StateRow, call: ToolCall, heard: Decision, now: number, hash: Hash): Granted | undefined {
  const grant = grantOf(row.value);
  if (grant === undefined || now >= grant.until || grant.count < 1) return undefined;
  if (grant.tool !== call.tool || grant.agent !== call.agent || grant.environment !== call.environment)
    return undefined;
  const seen = ({ id, digest }: { readonly id: string; readonly digest: string }) =>
    grant.reasons.some((reason) => reason.id === id && reason.digest === digest);
  if (!heard.pauses.every(seen)) return undefined;
  if (!grant.same.every(([path, mark]) => markOf(hash, grant.approval, path, call.args) === mark)) return undefined;
  // An argument that the approved call did not have is nothing that anybody agreed to.
  if (!Object.keys(call.args).every((name) => grant.names.includes(name))) return undefined;
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

/** A grant that stands, with what is used of it. */
export interface StandingGrant {
  /** That it was given with. */
  readonly approval: string;
  readonly run: string;
  readonly tool: string;
  readonly agent: string;
  readonly environment: string;
  readonly by: readonly Approver[];
  /** Path → value as the record holds it; undefined where the call had none. */
  readonly same: readonly (readonly [path: string, value: Json | undefined])[];
  /** Ms since 1970, exclusive. */
  readonly until: number;
  readonly calls: { readonly used: number; readonly of: number };
  readonly sum?: { readonly path: string; readonly used: number; readonly of: number };
}

/** Those that a call could still use, at most `limit` of the store's rows. */
export async function standingGrants(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  limit: number,
): Promise<readonly StandingGrant[]> {
  const { now } = await storeTime(store, clock);
  const found: StandingGrant[] = [];
  for (const row of await store.rows({ kind: "grant", limit })) {
    const grant = grantOf(row.value);
    const approval = grant === undefined ? undefined : await store.approval(grant.approval);
    const terms = approval?.decision?.grant;
    if (grant === undefined || approval === undefined || terms === undefined) continue;
    if (now >= grant.until || grant.count < 1) continue;
    const { tool, agent, environment, until } = grant;
    const args = JSON.parse(approval.decision?.bytes ?? "{}") as JsonObject;
    const same = grant.same.map(([path]) => [path, at(args, path)] as const);
    const calls = { used: terms.count - grant.count, of: terms.count };
    const sum = { path: terms.sum?.path ?? "", used: (terms.sum?.most ?? 0) - (grant.sum?.left ?? 0) };
    found.push({
      ...{ approval: approval.id, run: approval.run, tool, agent, environment, same, until, calls },
      by: approval.votes.map((vote) => vote.by),
      ...(terms.sum === undefined ? {} : { sum: { ...sum, of: terms.sum.most } }),
    });
  }
  return found;
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
  /** Path → digest of the value, which may be a secret: the row outlives the call's exact arguments. */
  readonly same: readonly (readonly [path: string, value: string])[];
  /** Every argument of the approved call. */
  readonly names: readonly string[];
  readonly until: number;
  /** Left. */
  readonly count: number;
  readonly sum: { readonly path: string; readonly left: number } | null;
}

/** What is stored is not believed to be what was written here. */
function grantOf(value: Json): GrantValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { approval, tool, agent, environment, reasons, same, names, until, count, sum } = value as Record<string, Json>;
  const texts = [approval, tool, agent, environment].every((text) => typeof text === "string");
  if (!texts || typeof until !== "number" || typeof count !== "number") return undefined;
  if (!Array.isArray(reasons) || !Array.isArray(same) || !Array.isArray(names) || sum === undefined) return undefined;
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

/** Of the canonical value; where there is nothing, of an empty text, which is no value's. */
function markOf(hash: Hash, approval: string, path: string, args: JsonObject): string {
  const value = at(args, path);
  const text = value === undefined ? "" : canonicalJson(value);
  return toHex(hash.sha256(new TextEncoder().encode(JSON.stringify([approval, path, text]))));
}

function isCount(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && value <= most;
}
