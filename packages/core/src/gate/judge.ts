/** A call, as the policies of now judge it and as they would have it run. */

import { normalize, type ToolCall } from "../call.ts";
import type { Decision, EvaluationContext } from "../decision.ts";
import { changedPaths } from "../edit.ts";
import type { PastCalls } from "../past-calls.ts";
import { argumentPath, withoutValue } from "../policy/argument-path.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Hash } from "../ports.ts";
import type { JsonObject } from "../value/json.ts";

export interface Judged {
  readonly decision: Decision;
  /** What may run: the call itself, or the same call with the changed arguments. Its digest and bytes are what is bound. */
  readonly call: ToolCall;
}

/** What a model may be told of the arguments that ran: everything but what the host decides, which it never saw. */
export function toldOf(policies: Pick<PolicySet, "boundPaths">, call: Pick<ToolCall, "tool" | "args">): JsonObject {
  return policies
    .boundPaths(call.tool)
    .reduce<JsonObject>((args, path) => withoutValue(args, argumentPath(path) ?? []), call.args);
}

/** Did rules change what the agent wrote? What the host decides does not count: that was never the model's to write. */
export function changedByRules(policies: PolicySet, proposal: ToolCall, call: ToolCall): boolean {
  return proposal.digest !== call.digest && changedPaths(toldOf(policies, proposal), toldOf(policies, call)).length > 0;
}

/** Changed arguments are normalised like any others: what does not come through is denied. */
export function judge(
  policies: PolicySet,
  call: ToolCall,
  context: EvaluationContext,
  { hash, history }: { readonly hash: Hash; readonly history: PastCalls | undefined },
): Judged {
  const decision = policies.evaluate(call, context, history);
  if (decision.changed === undefined || decision.verdict === "deny") return { decision, call };
  const { tool, agent, environment } = call;
  const changed = normalize({ tool, agent, environment, args: decision.changed.args }, hash);
  if (changed.ok) return { decision, call: changed.call };
  const { path, message } = changed.malformed;
  const reason = `the policies' own changes leave no call: ${path}: ${message}`;
  const { revision, rules } = decision;
  return { decision: { verdict: "deny", by: ["call.malformed"], reason, revision, rules, pauses: [] }, call };
}
