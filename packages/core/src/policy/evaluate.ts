/** One call against one revision: pure, synchronous, total. Whatever goes wrong inside is a denial. */

import type { ToolCall } from "../call.ts";
import type { ChangedArguments, Decision, EvaluationContext, PauseReason, RuleOutcome } from "../decision.ts";
import { changedPaths } from "../edit.ts";
import { invariant } from "../errors.ts";
import type { PastCalls } from "../past-calls.ts";
import { canonicalJson, type JsonObject } from "../value/json.ts";
import { combine, type Standing, stricter, type Unmatched } from "./combine.ts";
import type { Compiled } from "./compile.ts";
import { because } from "./explain.ts";
import { asRead, bound, mayEdit, Refused, refusalOf, withoutMeaninglessNulls } from "./guard.ts";
import { type Case, type Heard, hear, type Version } from "./hearing.ts";
import { compareText } from "./issue.ts";
import type { EnvironmentModel } from "./model.ts";
import { pastCalls } from "./past-calls.ts";
import { type Counts, type Settled, settle } from "./settle.ts";
import { type Variables, variablesOf } from "./variables.ts";

/** `explaining`: with the values behind each rule, and the rules that did not match. */
export function evaluate(
  compiled: Compiled,
  call: ToolCall,
  context: EvaluationContext,
  explaining: boolean,
  history?: PastCalls,
): Decision {
  try {
    invariant(call.agent === context.agent && call.environment === context.environment, "call and context disagree");
    const asked = { compiled, candidates: compiled.candidates(call.tool), call, context, history, explaining };
    for (const environment of compiled.environments) {
      if (environment.name === call.environment) {
        return judge({ ...asked, environment });
      }
    }
    return judgeUnknown(asked);
  } catch {
    return refusal(compiled.revision, ["internal.error"], "The policies could not be evaluated.");
  }
}

/** An environment that nobody declared: the strictest answer that any declared one gives, and never only observed. */
function judgeUnknown(asked: Omit<Case, "environment">): Decision {
  const { compiled, call } = asked;
  const decisions = compiled.environments.map((declared) =>
    judge({ ...asked, environment: { ...declared, observe: false } }),
  );
  const [first, ...others] = decisions;
  if (first === undefined) return refusal(compiled.revision, ["environment.unknown"], "No environment is declared.");
  const strictest = others.reduce<Decision>(stricter, first);
  const results = decisions
    .filter(({ verdict }) => verdict !== "deny")
    .map(({ changed }) => changed?.args ?? call.args);
  // Where the environments would run different arguments, none of them is the strictest.
  if (strictest.verdict === "deny" || new Set(results.map((args) => canonicalJson(args))).size === 1) return strictest;
  return refusal(compiled.revision, ["environment.unknown"], "The environment of this call is not declared.");
}

function judge(one: Case): Decision {
  const { compiled, candidates, environment } = one;
  const version = prepared(one);
  if (version instanceof Refused) return refusal(compiled.revision, version.by, version.reason);
  const heard = hear(one, version);
  const unmatched = {
    id: `unmatched:${environment.name}`,
    allows: environment.unmatched[candidates.tool.kind] === "allow",
  };
  return decide(one, version, heard, unmatched);
}

/** Step 1: what the host decides is bound, and the arguments must be ones of this tool. Never observed. */
function prepared({ compiled, candidates, environment, call, context, history }: Case): Version | Refused {
  const { guard } = candidates;
  const looked = variablesOf(candidates, environment.name, call, call.args, context, compiled);
  const variables = candidates.history
    ? { ...looked, run: { ...context.run, ...pastCalls(history, compiled) } }
    : looked;
  if (guard === null) return { args: call.args, read: call.args, variables };
  const nulls = guard.schema !== null && call.bytes.includes("null");
  const args = bound(guard, nulls ? withoutMeaninglessNulls(guard, call.args) : call.args, variables);
  if (args instanceof Refused) return args;
  const refused = refusalOf(guard, args);
  if (refused !== null) return refused;
  const read = nulls || guard.binds.length > 0 ? asRead(guard, args) : args;
  return { args, read, variables: read === call.args ? variables : { ...variables, args: read } };
}

/** The binds of step 1 alone; null where the host does not say all that they need. */
export function boundArguments(
  compiled: Compiled,
  tool: string,
  args: JsonObject,
  context: EvaluationContext,
): JsonObject | null {
  const candidates = compiled.candidates(tool);
  const { guard } = candidates;
  if (guard === null) return args;
  const { agent, environment } = context;
  const call = { tool, agent, environment, args, bytes: "", digest: "" };
  const result = bound(guard, args, variablesOf(candidates, environment, call, args, context, compiled));
  return result instanceof Refused ? null : result;
}

function decide(one: Case, version: Version, heard: readonly Heard[], unmatched: Unmatched): Decision {
  const { environment, compiled, call } = one;
  const settled = settle(one, version, heard, unmatched, ENFORCED);
  // An observed environment changes nothing either: what was bound stays, what rules would have changed is not.
  const binding = environment.observe ? observed(settled, version, environment) : settled;
  const { verdict, by } = binding;
  const speaking = verdict === "allow" ? NOBODY_SPEAKS : binding.heard.filter(({ id }) => by.includes(id));
  const observes = environment.observe || heard.some(({ rule }) => rule.observe);
  const said = observes ? withObserved(heard, binding.heard) : binding.heard;
  const decision = {
    verdict,
    by,
    reason: binding.because ?? reasonOf(binding, speaking),
    revision: compiled.revision,
    rules: said.map((voice) => outcome(voice, one, version.variables)),
    pauses: verdict === "pause" ? binding.heard.flatMap((voice) => pauseOf(voice, one)) : [],
  };
  const fix = words(speaking.map(({ rule }) => rule.fix));
  const changed = changedOf(call.args, binding);
  if (fix === "" && !observes && changed === undefined) return decision;
  return {
    ...decision,
    ...(fix === "" ? undefined : { fix }),
    ...(changed === undefined ? undefined : { changed }),
    ...(observes ? { would: wouldOf(one, settle(one, version, heard, unmatched, EVERY)) } : undefined),
  };
}

const ENFORCED: Counts = (rule) => !rule.observe;
const EVERY: Counts = () => true;

/** What would run; undefined where that is what was proposed, and where nothing runs. */
function changedOf(proposed: JsonObject, { verdict, version }: Settled): ChangedArguments | undefined {
  if (verdict === "deny" || version.args === proposed) return undefined;
  const paths = changedPaths(proposed, version.args);
  return paths.length === 0 ? undefined : { args: version.args, paths };
}

function wouldOf({ call }: Case, settled: Settled): NonNullable<Decision["would"]> {
  const { verdict, by } = settled;
  const changed = changedOf(call.args, settled);
  return changed === undefined ? { verdict, by } : { verdict, by, changed };
}

/** Observed rules as they spoke, beside the ones that count. */
function withObserved(all: readonly Heard[], counted: readonly Heard[]): readonly Heard[] {
  const observing = all.filter(({ rule }) => rule.observe);
  return observing.length === 0 ? counted : [...counted, ...observing].sort((a, b) => compareText(a.id, b.id));
}

const NOBODY_SPEAKS: readonly Heard[] = [];

/** An observed environment permits what its policies would not, and says so in `by`. */
function observed({ heard, ...settled }: Settled, version: Version, environment: EnvironmentModel): Settled {
  const { verdict, by } =
    settled.verdict === "allow" ? settled : combine([], { id: `observe:${environment.name}`, allows: true });
  return { verdict, by, heard, version };
}

function pauseOf({ rule, say }: Heard, { candidates }: Case): readonly PauseReason[] {
  if (say.verdict !== "pause") return [];
  invariant(rule.pause !== null, "a pausing rule has terms");
  const reason = rule.pause();
  const { guard } = candidates;
  if (guard === null || guard.binds.length === 0) return [reason];
  const editable = reason.approval.editable.filter((path) => mayEdit(guard, path));
  return [{ ...reason, approval: { ...reason.approval, editable } }];
}

function outcome({ rule, matched, again, say, error }: Heard, one: Case, variables: Variables): RuleOutcome {
  const plain = {
    rule: rule.id,
    span: rule.span,
    then: rule.verdict,
    matched,
    verdict: rule.observe ? null : say.verdict,
  };
  if (error === null && again === undefined && !one.explaining) return plain;
  return {
    ...plain,
    ...(again === undefined ? undefined : { again }),
    ...(error === null ? undefined : { error }),
    ...(one.explaining ? { because: because(rule, matched, one.candidates.env, variables) } : undefined),
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

function refusal(revision: string, by: readonly string[], reason: string): Decision {
  return { verdict: "deny", by, reason, revision, rules: [], pauses: [] };
}
