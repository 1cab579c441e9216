/** What one call asks of the protections, and what their objection makes of its decision. */
import { NO_UNITS } from "../argument-units.ts";
import { type HoldPart, potId } from "../breaker/budget/hold.ts";
import { windowAt, type ZoneOffset } from "../breaker/budget/window.ts";
import { errorClass, failureOf, healthOf } from "../breaker/error-class.ts";
import { type Finding, findingDigest, ruleOf } from "../breaker/loop/finding.ts";
import { type CallKeys, callKeys, resultKeys } from "../breaker/loop/fingerprint.ts";
import type { Caller, CallMotion, Motion, PotClaim } from "../breaker/protect/motion.ts";
import { type Objection, objectionVerdict } from "../breaker/protect/objection.ts";

import { stopRule } from "../breaker/stop.ts";
import type { BudgetClaim } from "../budget.ts";
import type { ToolCall } from "../call.ts";
import type { Decision, EvaluationContext, PauseReason, Verdict } from "../decision.ts";
import type { CallRecord, Outcome } from "../lifecycle.ts";
import { LIMITS } from "../limits.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Hash, Random } from "../ports.ts";
import { resultText } from "./result-text.ts";
import type { Run } from "./run.ts";

/** What a call wants of the budgets, and how its result says what it really used. */
export interface CallBudgets {
  readonly claims: readonly PotClaim[];
  readonly declared: readonly BudgetClaim[];
  /** Budgets that cannot say what they want: the call is denied. */
  readonly faults: readonly BudgetClaim[];
  /** By pot; pots that are not named book what was held. Total. */
  actual(result: unknown): readonly HoldPart[];
}

/** What names the window that a call's money is in. */
export interface Windows {
  readonly run: Pick<Run, "root">;
  readonly zones: ZoneOffset | undefined;
  /** The store's time. Asked only where there is a budget. */
  readonly at: () => number;
}

/**
 * Step 7, the part that needs no row: a budget that cannot be reckoned denies, whatever its `over` says. With it goes what the
 * arguments count, for whoever looks at the decision.
 */
export function reckon(
  policies: PolicySet,
  decision: Decision,
  call: ToolCall,
  context: EvaluationContext,
  of: Windows,
): { readonly decision: Decision; readonly budgets: CallBudgets } {
  const budgets = decision.verdict === "deny" ? NO_BUDGETS : budgetsOf(policies.budgets(call, context), context, of);
  const judged = reckoned(decision, budgets, policies.observes(context.environment));
  const units = policies.units(call, context);
  return { decision: units === NO_UNITS ? judged : { ...judged, units }, budgets };
}

/** The decision, denied where a budget cannot say what the call would take of it. */
export function reckoned(decision: Decision, { faults }: Pick<CallBudgets, "faults">, observed: boolean): Decision {
  if (faults.length === 0) return decision;
  const by = faults.map(({ budget }) => `budget:${budget}`);
  const reasons = faults.map(
    ({ budget, reason }) => reason ?? `the budget \`${budget}\` cannot tell what this call would take of it`,
  );
  const [fix] = faults.flatMap((fault) => fault.fix ?? []);
  return combined(decision, { verdict: "deny", by, reasons, pauses: [], fix }, observed);
}

const NO_BUDGETS: CallBudgets = { claims: [], declared: [], faults: [], actual: () => [] };

function budgetsOf(
  declared: readonly BudgetClaim[],
  context: EvaluationContext,
  { run, zones = () => undefined, at }: Windows,
): CallBudgets {
  if (declared.length === 0) return NO_BUDGETS;
  const place = { environment: context.environment, run, zones, now: at() };
  const claims: PotClaim[] = [];
  const faults: BudgetClaim[] = [];
  const settles: { readonly pot: string; readonly actual: NonNullable<BudgetClaim["actual"]> }[] = [];
  for (const claim of declared) {
    const claimed = potClaim(claim, place);
    if (claimed === undefined) faults.push(claim);
    else {
      claims.push(claimed);
      if (claim.actual !== undefined) settles.push({ pot: claimed.pot, actual: claim.actual });
    }
  }
  const actual = (result: unknown): readonly HoldPart[] =>
    settles.flatMap((settle) => {
      const amount = settle.actual(result);
      return amount === undefined ? [] : [{ pot: settle.pot, amount }];
    });
  return { claims, declared, faults, actual };
}

/** Undefined where the amount or the window cannot be told. */
export function potClaim(
  claim: BudgetClaim,
  place: {
    readonly environment: string;
    readonly run: Pick<Run, "root">;
    readonly zones: ZoneOffset;
    /** The store's time, ms. */
    readonly now: number;
  },
): PotClaim | undefined {
  const { budget, unit, key, limit, over, amount } = claim;
  const window = windowAt(claim.window, place.now, place.run.root, place.zones);
  if (amount === null || window === undefined) return undefined;
  const pot = potId({ budget, environment: place.environment, unit, key, window });
  const slidingMs = claim.window.kind === "sliding" ? claim.window.ms : null;
  return { pot, budget, unit, limit, over, amount, slidingMs };
}

export function callerOf({ root, runs, depth, agent, environment, principal }: Run): Caller {
  return { root, runs, depth, agent, environment, principal: principal.id };
}

export function callMotion(
  run: Run,
  callId: string,
  call: ToolCall,
  { claims }: CallBudgets,
  policies: PolicySet,
  of: { readonly hash: Hash; readonly owner: string; readonly now: number },
): Omit<CallMotion, "deadline"> {
  const traits = policies.traits(call.tool);
  return {
    callId,
    caller: callerOf(run),
    keys: callKeys(call, traits, of.hash),
    traits,
    settings: policies.detectors({ agent: run.agent, environment: run.environment, tool: call.tool }),
    claims,
    observe: policies.observes(run.environment),
    owner: of.owner,
    leaseMs: LIMITS.leaseMs,
    at: of.now,
  };
}

/** The call is over: for loops, health, and what it held. */
export function finishMotion(
  run: Run,
  row: CallRecord,
  keys: CallKeys,
  policies: PolicySet,
  of: {
    readonly outcome: Outcome;
    readonly result: unknown;
    /** Of the result or error, as it goes into the record. */
    readonly recorded: Uint8Array | undefined;
    readonly actual: readonly HoldPart[];
    readonly hash: Hash;
    readonly random: Random;
    readonly now: number;
  },
): Motion {
  const { outcome, result, recorded, actual, hash, random, now } = of;
  const { tool, kind, callKey, identityKey } = keys;
  const traits = policies.traits(tool);
  const failure = outcome === "succeeded" ? undefined : failureOf(result);
  return {
    type: "finish",
    callId: row.id,
    root: row.root,
    agent: run.agent,
    environment: run.environment,
    tool,
    outcome,
    print: {
      callId: row.id,
      at: now,
      tool,
      kind,
      callKey,
      identityKey,
      ...resultKeys(resultText(result, recorded), traits, hash),
      outcome,
      errorClass: failure === undefined ? null : errorClass(failure),
    },
    healthy: failure === undefined ? true : healthOf(failure),
    jitter: (random.bytes(1)[0] ?? 0) / 256,
    actual,
  };
}

/** The call is given up before it started: `rules` are what denied it, none where nobody wants it any more. */
export function releaseMotion(row: CallRecord, rules: readonly string[]): Motion {
  const { id, root, agent, environment, tool } = row;
  const caller = { root, agent, environment, principal: "" };
  return { type: "release", callId: id, caller, tool, settings: null, rules };
}

/** The decision with what the protections found inside the transaction (policy.md, order of work, 5 and 7). */
export function objected(
  decision: Decision,
  objection: Objection,
  { budgets, policies, hash }: { readonly budgets: CallBudgets; readonly policies: PolicySet; readonly hash: Hash },
): Decision {
  const said = [
    ...saidByPeople(objection),
    ...objection.findings.map((finding) => saidOf(finding, policies, hash)),
    ...saidByBudgets(objection, budgets),
  ];
  const binding = said.filter(({ observed }) => !observed);
  const watched = said.filter(({ observed }) => observed);
  const decided = combined(decision, sayings(binding), false);
  return watched.length === 0 ? decided : combined(decided, sayings(watched), true);
}

interface Said {
  readonly verdict: Verdict;
  readonly by: string;
  readonly reason: string;
  readonly observed: boolean;
  readonly pause?: PauseReason | undefined;
  readonly fix?: string | undefined;
}

function saidByPeople({ stop, refusals }: Objection): readonly Said[] {
  const denied = { verdict: "deny", observed: false } as const;
  return [
    ...(stop === null
      ? []
      : [{ ...denied, by: stopRule(stop.scope), reason: `stopped by an operator: ${stop.reason}` }]),
    ...refusals.map((refusal) => ({ ...denied, by: `breaker:${refusal.scope}`, reason: refusalText(refusal) })),
  ];
}

function saidOf(finding: Finding, policies: PolicySet, hash: Hash): Said {
  const { key, count, mode, reaction, text } = finding;
  const by = ruleOf(finding);
  const reason: PauseReason = {
    id: by,
    digest: findingDigest(finding, hash),
    reason: text,
    approval: policies.approval,
    finding: { key, count },
  };
  const verdict = reaction === "annotate" ? "allow" : reaction === "pause" ? "pause" : "deny";
  return { verdict, by, reason: text, observed: mode === "observe", pause: reason };
}

function saidByBudgets({ shortages, refused }: Objection, { claims, declared }: CallBudgets): readonly Said[] {
  const said = shortages.map(({ budget, over, pot, observed = false }): Said => {
    // A budget may name several pots; each claim has its own declaration, in the same order.
    const claim = declared.find((one) => one.budget === budget && claims.some((taken) => taken.pot === pot));
    const reason = claim?.reason ?? `the budget \`${budget}\` has no room for this call`;
    return { verdict: over, by: `budget:${budget}`, reason, observed, pause: claim?.pause, fix: claim?.fix };
  });
  if (refused === null) return said;
  const reason = "a budget cannot hold what this call wants";
  return [...said, { verdict: "deny", by: "budget.invalid", reason, observed: false }];
}

interface Sayings {
  readonly verdict: Verdict;
  readonly by: readonly string[];
  readonly reasons: readonly string[];
  readonly pauses: readonly PauseReason[];
  readonly fix: string | undefined;
}

function sayings(said: readonly Said[]): Sayings {
  const verdict = said.reduce<Verdict>((most, one) => (RANK[one.verdict] > RANK[most] ? one.verdict : most), "allow");
  const decisive = said.filter((one) => one.verdict === verdict);
  return {
    verdict,
    by: decisive.map(({ by }) => by),
    reasons: decisive.map(({ reason }) => reason),
    pauses: decisive.flatMap(({ pause }) => pause ?? []),
    fix: decisive.find(({ fix }) => fix !== undefined)?.fix,
  };
}

const RANK: Readonly<Record<Verdict, number>> = { allow: 0, pause: 1, deny: 2 };

/** The strictest answer of any step stands; what is only observed stands in `would`. */
function combined(decision: Decision, said: Sayings, observed: boolean): Decision {
  if (said.verdict === "allow") return decision;
  if (observed) {
    const before = decision.would ?? { verdict: decision.verdict, by: decision.by };
    if (RANK[said.verdict] < RANK[before.verdict]) return decision;
    const by = said.verdict === before.verdict ? sorted([...before.by, ...said.by]) : sorted(said.by);
    return { ...decision, would: { ...before, verdict: said.verdict, by } };
  }
  if (RANK[said.verdict] < RANK[decision.verdict]) return decision;
  const equal = said.verdict === decision.verdict;
  const { fix: ruled, changed, ...rest } = decision;
  const fix = equal ? (ruled ?? said.fix) : said.fix;
  return {
    ...rest,
    verdict: said.verdict,
    by: sorted(equal ? [...decision.by, ...said.by] : said.by),
    reason: [...new Set([...(equal ? [decision.reason] : []), ...said.reasons])].join(" "),
    ...(fix === undefined ? {} : { fix }),
    pauses: said.verdict === "pause" ? [...(equal ? decision.pauses : []), ...said.pauses] : [],
    ...(changed === undefined || said.verdict === "deny" ? {} : { changed }),
  };
}

function sorted(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
}

/** For the agent: what is closed, and nothing to try. */
function refusalText({ scope, why }: Objection["refusals"][number]): string {
  if (why === "stopped") return `this ${scope} is stopped until a person resets it`;
  return "this tool has failed too often and is not called for a while";
}

/** What the agent is told beside the result of a call that ran. */
export function notesOf(objection: Objection | null): readonly string[] {
  if (objection === null || objectionVerdict(objection) === "deny") return [];
  return objection.findings.flatMap(({ mode, reaction, text }) =>
    mode === "enforce" && reaction === "annotate" ? [text] : [],
  );
}
