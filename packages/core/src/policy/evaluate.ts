/** One call against one revision: pure, synchronous, total. Whatever goes wrong inside is a denial. */
import type { ToolCall } from "../call.ts";
import type { Decision, EvaluationContext, PauseReason, RuleOutcome } from "../decision.ts";
import { invariant } from "../errors.ts";
import type { CelFault } from "./cel/index.ts";
import { combine, type Standing, type Unmatched, type Voice } from "./combine.ts";
import type { Compiled, CompiledRule } from "./compile.ts";
import { because } from "./explain.ts";
import type { EnvironmentModel } from "./model.ts";
import { ASK, FALSE, TRUE } from "./plan.ts";
import type { Candidates } from "./rule-index.ts";
import { principalInScope } from "./scope.ts";
import { type Variables, variablesOf } from "./variables.ts";

/** A rule in scope, and what it says. */
interface Heard extends Voice {
  readonly rule: CompiledRule;
  readonly error: string | null;
}

/** `explaining`: with the values behind each rule, and the rules that did not match. */
export function evaluate(
  compiled: Compiled,
  call: ToolCall,
  context: EvaluationContext,
  explaining: boolean,
): Decision {
  try {
    invariant(call.agent === context.agent && call.environment === context.environment, "call and context disagree");
    const candidates = compiled.candidates(call.tool);
    for (const environment of compiled.environments) {
      if (environment.name === call.environment) {
        return judge({ compiled, candidates, environment, call, context, explaining });
      }
    }
    return judgeUnknown(compiled, candidates, call, context, explaining);
  } catch {
    return refusal(compiled.revision, "internal.error", "The policies could not be evaluated.");
  }
}

interface Case {
  readonly compiled: Compiled;
  readonly candidates: Candidates;
  readonly environment: EnvironmentModel;
  readonly call: ToolCall;
  readonly context: EvaluationContext;
  readonly explaining: boolean;
}

/** An environment that nobody declared: the strictest answer that any declared one gives, and never only observed. */
function judgeUnknown(
  compiled: Compiled,
  candidates: Candidates,
  call: ToolCall,
  context: EvaluationContext,
  explaining: boolean,
): Decision {
  let strictest: Decision | undefined;
  for (const declared of compiled.environments) {
    const environment = { ...declared, observe: false };
    const decision = judge({ compiled, candidates, environment, call, context, explaining });
    if (strictest === undefined || STRICTNESS[decision.verdict] > STRICTNESS[strictest.verdict]) strictest = decision;
  }
  return strictest ?? refusal(compiled.revision, "environment.unknown", "No environment is declared.");
}

const STRICTNESS = { allow: 0, pause: 1, deny: 2 } as const;

function judge(one: Case): Decision {
  const { compiled, candidates, environment, call, context, explaining } = one;
  const { rules, plan, speaks } = candidates;
  const variables = variablesOf(candidates, environment.name, call, context, compiled);
  const readings = plan.read(call.args);
  const heard: Heard[] = [];
  for (let index = 0; index < rules.length; index++) {
    const answer = plan.answer(index, readings);
    // The common case, a rule of this tool that does not match, ends here without a look at the rule itself.
    if (answer === FALSE && speaks[index] === 0 && !explaining) continue;
    const rule = rules[index];
    invariant(rule !== undefined, "candidates are parallel lists");
    if (!inScope(rule, environment.name, context)) continue;
    const result = answer === ASK ? rule.condition?.test(variables) : answer === TRUE;
    invariant(result !== undefined, "a rule without a condition is not asked about");
    if (result !== false || rule.says.false.verdict !== null || explaining) heard.push(hear(rule, result));
  }
  const unmatched = {
    id: `unmatched:${environment.name}`,
    allows: environment.unmatched[candidates.tool.kind] === "allow",
  };
  return decide(one, heard, unmatched, variables);
}

function inScope(rule: CompiledRule, environment: string, context: EvaluationContext): boolean {
  if (rule.environments !== null && !rule.environments.has(environment)) return false;
  if (rule.agents !== null && !rule.agents(context.agent)) return false;
  return rule.principals === null || principalInScope(rule.principals, context.principal);
}

function hear(rule: CompiledRule, result: boolean | CelFault): Heard {
  const matched = result === true ? "true" : result === false ? "false" : "error";
  const error = typeof result === "boolean" ? null : result.message;
  return { id: rule.id, rule, matched, say: rule.says[matched], error };
}

function decide(one: Case, heard: readonly Heard[], unmatched: Unmatched, variables: Variables): Decision {
  const { environment, compiled } = one;
  const enforced = heard.some((voice) => voice.rule.observe) ? heard.filter((voice) => !voice.rule.observe) : heard;
  const standing = combine(enforced, unmatched);
  const binding = environment.observe ? observed(standing, environment) : standing;
  const { verdict, by } = binding;
  const speaking = verdict === "allow" ? NOBODY_SPEAKS : enforced.filter(({ id }) => by.includes(id));
  const decision = {
    verdict,
    by,
    reason: reasonOf(binding, speaking),
    revision: compiled.revision,
    rules: heard.map((voice) => outcome(voice, one, variables)),
    pauses: verdict === "pause" ? enforced.flatMap(pauseOf) : [],
  };
  const fix = words(speaking.map(({ rule }) => rule.fix));
  const observes = environment.observe || enforced.length < heard.length;
  if (fix === "" && !observes) return decision;
  return {
    ...decision,
    ...(fix === "" ? undefined : { fix }),
    ...(observes ? { would: combine(heard, unmatched) } : undefined),
  };
}

const NOBODY_SPEAKS: readonly Heard[] = [];

/** An observed environment permits what its policies would not, and says so in `by`. */
function observed(standing: Standing, environment: EnvironmentModel): Standing {
  if (standing.verdict === "allow") return standing;
  return combine([], { id: `observe:${environment.name}`, allows: true });
}

function pauseOf({ rule, say }: Heard): readonly PauseReason[] {
  if (say.verdict !== "pause") return [];
  invariant(rule.pause !== null, "a pausing rule has terms");
  return [rule.pause()];
}

function outcome({ rule, matched, say, error }: Heard, one: Case, variables: Variables): RuleOutcome {
  const plain = {
    rule: rule.id,
    span: rule.span,
    then: rule.verdict,
    matched,
    verdict: rule.observe ? null : say.verdict,
  };
  if (error === null && !one.explaining) return plain;
  return {
    ...plain,
    ...(error === null ? undefined : { error }),
    ...(one.explaining ? { because: because(rule, matched, one.compiled.env, variables) } : undefined),
  };
}

/** The rules' own words, nothing computed: what the agent is told must not teach it where the limits lie. */
function reasonOf({ verdict, by }: Standing, speaking: readonly Heard[]): string {
  if (verdict === "allow") return "Allowed by policy.";
  const said = words(speaking.map(({ rule }) => rule.reason));
  if (said !== "") return said;
  if (verdict === "pause") return "A person has to approve this call.";
  return by.some((id) => id.startsWith("unmatched:")) ? "No rule permits this call." : "A rule denies this call.";
}

function words(texts: readonly (string | null)[]): string {
  if (texts.length === 0) return "";
  return [...new Set(texts.filter((text) => text !== null))].join(" ");
}

function refusal(revision: string, id: string, reason: string): Decision {
  return { verdict: "deny", by: [id], reason, revision, rules: [], pauses: [] };
}
