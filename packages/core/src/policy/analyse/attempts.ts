/** `run.attempts` where a succeeded call was meant: `any-attempt`. */
import type { PastCall } from "../../past-calls.ts";
import type { JsonObject } from "../../value/json.ts";
import { childrenOf, constantPath, type Expr } from "../cel/ast.ts";
import { quote } from "../issue.ts";
import type { RuleModel } from "../model.ts";
import { type Analysis, type Finding, STRICTNESS } from "./findings.ts";
import { ALWAYS } from "./region.ts";
import { verdictOf } from "./trial.ts";

/** A rule that gets milder by a call which was denied: the agent need only try. */
export function anyAttempts(analysis: Analysis): readonly Finding[] {
  return analysis.model.rules.flatMap((rule) => found(analysis, rule) ?? []);
}

function found(analysis: Analysis, rule: RuleModel): Finding | undefined {
  if (rule.observe || rule.condition === null || !analysis.mayHold(rule, /attempts/)) return;
  const { search } = analysis;
  const setting = search.settingOf(rule);
  if (setting === undefined || !readsAttempts(rule.condition.expr)) return;
  const { expr } = rule.condition;
  let milder: string | undefined;
  const example = search.find(setting, ALWAYS, [expr], (before, call) => {
    milder = textsIn(expr).find((tool) => {
      const after = search.decide(call, { calls: [deniedCall(tool, call.args)] });
      return after !== undefined && STRICTNESS[verdictOf(after)] < STRICTNESS[verdictOf(before)];
    });
    return milder !== undefined;
  });
  if (example === undefined || milder === undefined) return;
  const message = `a call of ${quote(milder)} that was denied is enough here: \`run.attempts\` holds all calls; read \`run.calls\`, or ask for \`outcome == "succeeded"\``;
  return { code: "any-attempt", span: rule.span, rule, message, example };
}

function deniedCall(tool: string, args: JsonObject): PastCall {
  return { id: "call_before", tool, args, masked: [], at: 0, turn: 0, verdict: "deny", outcome: "none" };
}

function readsAttempts(expr: Expr): boolean {
  return constantPath(expr)?.slice(0, 2).join(".") === "run.attempts" || childrenOf(expr).some(readsAttempts);
}

/** Texts that the condition compares with: one of them may be the name of a tool. */
function textsIn(expr: Expr): readonly string[] {
  const own = expr.kind === "literal" && typeof expr.value === "string" ? [expr.value] : [];
  return [...new Set([...own, ...childrenOf(expr).flatMap(textsIn)])];
}
