/**
 * Validators that came with the tools, asked about exactly what would run. They stand beside the policies and not in
 * them: a tool that is made anew for each request brings a new function each time, and the policies stay the same.
 */
import type { ToolCall } from "../../call.ts";
import type { Decision, EvaluationContext } from "../../decision.ts";
import type { PastCalls } from "../../past-calls.ts";
import type { Policies } from "../../ports.ts";
import type { PolicySet } from "../policy-set.ts";
import { refusalText } from "./refusal.ts";
import type { ArgumentValidator } from "./types.ts";

/** The same policies, with every call denied whose final arguments its tool's own validator refuses. Never observed. */
export function validating(policies: Policies, validators: Readonly<Record<string, ArgumentValidator>>): Policies {
  const byTool = new Map(Object.entries(validators).map(([tool, validator]) => [tool.normalize("NFC"), validator]));
  if (byTool.size === 0) return policies;
  const guarded = new WeakMap<PolicySet, PolicySet>();
  return {
    ...(policies.named === undefined ? {} : { named: policies.named }),
    ...(policies.stamp === undefined ? {} : { stamp: policies.stamp }),
    current() {
      const set = policies.current();
      const known = guarded.get(set) ?? guardedSet(set, byTool);
      guarded.set(set, known);
      return known;
    },
  };
}

function guardedSet(set: PolicySet, validators: ReadonlyMap<string, ArgumentValidator>): PolicySet {
  const guard = (call: ToolCall, decision: Decision): Decision => {
    const validator = validators.get(call.tool);
    if (validator === undefined || decision.verdict === "deny") return decision;
    const reason = refusalText([validator], decision.changed?.args ?? call.args);
    if (reason === null) return decision;
    return { verdict: "deny", by: [`schema:${call.tool}`], reason, revision: set.revision, rules: [], pauses: [] };
  };
  return {
    ...set,
    evaluate: (call: ToolCall, context: EvaluationContext, history?: PastCalls) =>
      guard(call, set.evaluate(call, context, history)),
    explain: (call: ToolCall, context: EvaluationContext, history?: PastCalls) =>
      guard(call, set.explain(call, context, history)),
  };
}
