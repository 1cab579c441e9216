/** What each rule in scope says of one version of the arguments. */
import type { ToolCall } from "../call.ts";
import type { EvaluationContext } from "../decision.ts";
import { invariant } from "../errors.ts";
import type { PastCalls } from "../past-calls.ts";
import type { JsonObject } from "../value/json.ts";
import type { CelFault } from "./cel/index.ts";
import type { Matched, Voice } from "./combine.ts";
import type { Compiled, CompiledRule } from "./compile.ts";
import type { EnvironmentModel } from "./model.ts";
import { ASK, FALSE, TRUE } from "./plan.ts";
import type { Candidates } from "./rule-index.ts";
import { principalInScope } from "./scope.ts";
import type { Variables } from "./variables.ts";

/** One call in one environment. */
export interface Case {
  readonly compiled: Compiled;
  readonly candidates: Candidates;
  readonly environment: EnvironmentModel;
  readonly call: ToolCall;
  readonly context: EvaluationContext;
  /** Looked at only where `candidates.history` says so. */
  readonly history: PastCalls | undefined;
  readonly explaining: boolean;
}

/** One version of the arguments. */
export interface Version {
  /** As they would run. */
  readonly args: JsonObject;
  /** With `args` as conditions see them. */
  readonly variables: Variables;
  readonly read: JsonObject;
}

/** A rule in scope, and what it says. */
export interface Heard extends Voice {
  readonly rule: CompiledRule;
  readonly error: string | null;
  /** What it said on the changed arguments, where that differs. */
  readonly again?: Matched;
}

/** In the order of rule ids. Rules that do not match and say nothing are left out unless somebody wants an explanation. */
export function hear(one: Case, { variables, read }: Version): Heard[] {
  const { candidates, environment, context, explaining } = one;
  const { rules, plan } = candidates;
  const readings = plan.read(read);
  const heard: Heard[] = [];
  for (let index = 0; index < rules.length; index++) {
    const answer = plan.answer(index, readings);
    // The common case, a rule of this tool that does not match, ends here without a look at the rule itself.
    if (answer === FALSE && !explaining && !plan.speaks(index)) continue;
    const rule = rules[index];
    invariant(rule !== undefined, "candidates are parallel lists");
    if (!inScope(rule, environment.name, context)) continue;
    const result = answer === ASK ? rule.condition?.test(variables) : answer === TRUE;
    invariant(result !== undefined, "a rule without a condition is not asked about");
    if (result !== false || rule.says.false.verdict !== null || explaining) heard.push(voiceOf(rule, result));
  }
  return heard;
}

function inScope(rule: CompiledRule, environment: string, context: EvaluationContext): boolean {
  if (rule.environments !== null && !rule.environments.has(environment)) return false;
  if (rule.agents !== null && !rule.agents(context.agent)) return false;
  return rule.principals === null || principalInScope(rule.principals, context.principal);
}

function voiceOf(rule: CompiledRule, result: boolean | CelFault): Heard {
  const matched = result === true ? "true" : result === false ? "false" : "error";
  const error = typeof result === "boolean" ? null : result.message;
  return { id: rule.id, rule, matched, say: rule.says[matched], error };
}
