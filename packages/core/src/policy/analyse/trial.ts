/** Example calls, and what the policies say of them: the real evaluation, so that no claim rests on this folder alone. */
import type { BudgetClaim } from "../../budget.ts";
import { normalize, type ToolCall } from "../../call.ts";
import type { Decision, EvaluationContext, Principal, Verdict } from "../../decision.ts";
import { NO_CALLS, type PastCalls } from "../../past-calls.ts";
import type { Hash } from "../../ports.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import { compilePolicies } from "../compile.ts";
import type { PolicyModel } from "../model.ts";
import type { CompiledPolicySet } from "../policy-set.ts";

/** A call as `saferun eval` reads it from a line. */
export interface ExampleCall {
  readonly tool: string;
  readonly env: string;
  readonly agent: string;
  readonly args: JsonObject;
  readonly principal?: { readonly id: string; readonly kind?: Principal["kind"]; readonly roles?: readonly string[] };
  readonly context?: JsonObject;
  readonly now?: string;
}

/** Digests name revisions and reasons, which examples do not look at. */
const NO_HASH: Hash = { sha256: () => new Uint8Array(32) };

/** 2000-01-01T00:00:00Z, as in policy tests. */
const NOW_MS = 946_684_800_000;
const NOW = "2000-01-01T00:00:00Z";
const NOBODY: Principal = { id: "", kind: "none", roles: [], labels: {} };

export class Trial {
  readonly #model: PolicyModel;
  /** Made for the first claim that needs an example. */
  #policies: CompiledPolicySet | undefined;

  constructor(model: PolicyModel) {
    this.#model = model;
  }

  /** What the rules say; undefined where the call is refused before any rule: it is none, or none of this tool. */
  decide(example: ExampleCall, history?: PastCalls): Decision | undefined {
    const decision = this.evaluate(example, history);
    return decision?.by.some((id) => id.startsWith("schema:") || id.startsWith("bind:")) ? undefined : decision;
  }

  /** Undefined where it is no call of any tool. */
  evaluate(example: ExampleCall, history: PastCalls = NO_CALLS): Decision | undefined {
    const call = callOf(example, example.args);
    return call && this.#compiled().evaluate(call, contextOf(example), history);
  }

  /** What budgets count of it, with the arguments that would run. */
  claims(example: ExampleCall): readonly BudgetClaim[] {
    const args = this.evaluate(example)?.changed?.args ?? example.args;
    const call = callOf(example, args);
    return call === undefined ? [] : this.#compiled().budgets(call, contextOf(example));
  }

  #compiled(): CompiledPolicySet {
    this.#policies ??= compilePolicies(this.#model, NO_HASH);
    return this.#policies;
  }
}

function callOf({ tool, agent, env: environment }: ExampleCall, args: JsonObject): ToolCall | undefined {
  const normal = normalize({ tool, args, agent, environment }, NO_HASH);
  return normal.ok ? normal.call : undefined;
}

function contextOf({ agent, env, principal, context }: ExampleCall): EvaluationContext {
  return {
    agent,
    environment: env,
    principal: principal === undefined ? NOBODY : { kind: "person", roles: [], labels: {}, ...principal },
    context: context ?? {},
    run: { id: "run_example", prompted: false, untrusted: false, turn: 0 },
    call: { id: "call_example", depth: 0, attempt: 1 },
    now: NOW_MS,
  };
}

/** What a rule made of a call. */
export function matchOf(decision: Decision, rule: string): "true" | "false" | "error" {
  return decision.rules.find((outcome) => outcome.rule === rule)?.matched ?? "false";
}

/** What binds, or would bind if the environment were enforced. */
export function verdictOf(decision: Decision): Verdict {
  return decision.would?.verdict ?? decision.verdict;
}

/** As data for people and programs. */
export function exampleJson(example: ExampleCall, readsNow: boolean): JsonObject {
  const { tool, env, agent, args, principal, context } = example;
  return {
    tool,
    args,
    env,
    agent,
    ...(principal === undefined ? {} : { principal: plain(principal) }),
    ...(context === undefined ? {} : { context }),
    ...(readsNow ? { now: NOW } : {}),
  };
}

function plain(principal: NonNullable<ExampleCall["principal"]>): JsonObject {
  const entries: [string, Json][] = [["id", principal.id]];
  if (principal.kind !== undefined) entries.push(["kind", principal.kind]);
  if (principal.roles !== undefined) entries.push(["roles", principal.roles]);
  return Object.fromEntries(entries);
}
