/** A call, as the policies of now judge it and as they would have it run. */
import { normalize, type ToolCall } from "./call.ts";
import type { Decision, EvaluationContext } from "./decision.ts";
import type { PolicySet } from "./policy/policy-set.ts";
import type { Hash } from "./ports.ts";

export interface Judged {
  readonly decision: Decision;
  /** What may run: the call itself, or the same call with the changed arguments. Its digest and bytes are what is bound. */
  readonly call: ToolCall;
}

/** Changed arguments are normalised like any others: what does not come through is denied. */
export function judge(policies: PolicySet, call: ToolCall, context: EvaluationContext, hash: Hash): Judged {
  const decision = policies.evaluate(call, context);
  if (decision.changed === undefined || decision.verdict === "deny") return { decision, call };
  const { tool, agent, environment } = call;
  const changed = normalize({ tool, agent, environment, args: decision.changed.args }, hash);
  if (changed.ok) return { decision, call: changed.call };
  const { path, message } = changed.malformed;
  const reason = `the policies' own changes leave no call: ${path}: ${message}`;
  const { revision, rules } = decision;
  return { decision: { verdict: "deny", by: ["call.malformed"], reason, revision, rules, pauses: [] }, call };
}
