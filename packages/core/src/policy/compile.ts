/** A checked model → the policy set that the gate asks. */
import type { ModelBound } from "../budget.ts";
import type { ToolCall } from "../call.ts";
import type { ApprovalTerms, Decision, EvaluationContext, PauseReason, Span, Verdict } from "../decision.ts";
import { invariant } from "../errors.ts";
import type { PastCalls } from "../past-calls.ts";
import type { Hash } from "../ports.ts";
import type { Json, JsonObject } from "../value/json.ts";
import type { Expr } from "./cel/ast.ts";
import type { CompiledChange } from "./change/apply.ts";
import { type Matched, type Say, sayOf } from "./combine.ts";
import { conditionTest, type Test } from "./condition-test.ts";
import { type Revisions, revisionsOf, ruleDigest } from "./digest.ts";
import { boundArguments, evaluate } from "./evaluate.ts";
import { isGlob } from "./glob.ts";
import { compareText } from "./issue.ts";
import { conversationSeals, keepingOf, keptIn } from "./keeping.ts";
import { BudgetSet } from "./limits/budget-set.ts";
import { detectorsOf } from "./limits/compile-detectors.ts";
import type { ConditionModel, ContextType, EnvironmentModel, PolicyModel, RuleModel } from "./model.ts";
import { answerOf, OPAQUE_NAMES } from "./opaque.ts";
import type { CompiledPolicySet, ModelContext } from "./policy-set.ts";
import { type Candidates, RuleIndex, type ScopedRule } from "./rule-index.ts";
import { editFieldsOf } from "./schema/edit-fields.ts";
import { type Matcher, nameMatcher } from "./scope.ts";
import { ToolTable } from "./tool-table.ts";
import { unitSet } from "./unit-set.ts";
import { namesIn } from "./value-expression.ts";

export interface CompiledCondition {
  readonly test: Test;
  readonly expr: Expr;
  /** Names that it mentions. */
  readonly names: readonly string[];
  /** A function: `expr` only names it. */
  readonly opaque: boolean;
}

export interface CompiledRule {
  readonly id: string;
  readonly span: Span;
  readonly verdict: Verdict;
  readonly observe: boolean;
  /** Null is "all". */
  readonly agents: Matcher | null;
  readonly environments: ReadonlySet<string> | null;
  readonly principals: readonly string[] | null;
  /** Null is "always". */
  readonly condition: CompiledCondition | null;
  readonly says: Readonly<Record<Matched, Say>>;
  readonly reason: string | null;
  readonly fix: string | null;
  /** Made when first asked for: of ten thousand rules few ever pause a call. */
  readonly pause: (() => PauseReason) | null;
  /** Made for each tool, whose types they follow. */
  readonly changes: readonly CompiledChange[];
}

/** Everything that evaluation reads; immutable but for the index's cache. */
export interface Compiled extends Revisions {
  readonly constants: ReadonlyMap<string, Json>;
  readonly context: ReadonlyMap<string, ContextType>;
  /** Some condition reads what the run has done before. */
  readonly history: boolean;
  /** Sorted by name. */
  readonly environments: readonly EnvironmentModel[];
  candidates(tool: string): Candidates;
}

/** Compiles a model that was checked without errors. `hash` makes the revision and the digests of pause reasons. */
export function compilePolicies(model: PolicyModel, hash: Hash): CompiledPolicySet {
  const tools = new ToolTable(model.tools, model.framework);
  const { constants, env } = model;
  const rules = compileRules(model, hash);
  const index = new RuleIndex(rules, tools, { constants, env });
  const named = new Set(model.rules.flatMap((rule) => rule.scope.tools ?? []).filter((name) => !isGlob(name)));
  return policySet(
    {
      ...revisionsOf(model, hash),
      constants: model.constants,
      context: model.context,
      history: rules.some(({ rule }) => rule.condition?.names.includes("run")),
      environments: [...model.environments.values()].sort((a, b) => compareText(a.name, b.name)),
      candidates: (tool) => index.candidates(tool),
    },
    (tool) => tools.declares(tool) || named.has(tools.canonical(tool)),
    model.rules
      .map(({ id, span, verdict, observe, condition }) => ({
        id,
        span,
        verdict,
        observe,
        analysable: condition?.opaque === undefined,
      }))
      .sort((a, b) => compareText(a.id, b.id)),
    limitsOf(model, tools, hash),
  );
}

function limitsOf(model: PolicyModel, tools: ToolTable, hash: Hash) {
  const budgets = new BudgetSet(model, tools, hash);
  return {
    units: unitSet(model, tools, budgets),
    detectors: detectorsOf(model.detectors, tools, new Set(model.environments.keys())),
    budgets: (call: ToolCall, context: EvaluationContext) => budgets.claims(call, context),
    modelBudgets: (name: string, context: ModelContext, bound: ModelBound) => budgets.modelClaims(name, context, bound),
    approval: model.approval,
    conversationSeal: conversationSeals(model.tools, [...model.environments.values()]),
    indexed: [...new Set(model.tools.flatMap(({ keeping }) => keeping.indexed))].sort(),
  };
}

/** Apart from where the model is at hand: a closure that lives on must not keep the documents alive. */
function policySet(
  compiled: Compiled,
  declares: (tool: string) => boolean,
  rules: CompiledPolicySet["rules"],
  limits: Pick<
    CompiledPolicySet,
    "detectors" | "units" | "budgets" | "modelBudgets" | "approval" | "indexed" | "conversationSeal"
  >,
): CompiledPolicySet {
  const observed = new Set(compiled.environments.flatMap(({ name, observe }) => (observe ? [name] : [])));
  return Object.freeze({
    revision: compiled.revision,
    written: compiled.written,
    observes: (environment: string) => observed.has(environment),
    environments: compiled.environments.map(({ name, observe }) => ({ name, observe })),
    rules,
    evaluate: (call: ToolCall, context: EvaluationContext, history?: PastCalls): Decision =>
      evaluate(compiled, call, context, false, history),
    explain: (call: ToolCall, context: EvaluationContext, history?: PastCalls): Decision =>
      evaluate(compiled, call, context, true, history),
    readsHistory: (tool?: string) => (tool === undefined ? compiled.history : compiled.candidates(tool).history),
    kind: (tool: string) => compiled.candidates(tool).tool.kind,
    declares,
    boundPaths: (tool: string) => compiled.candidates(tool).tool.binds.map(({ path }) => path.join(".")),
    bound: (tool: string, args: JsonObject, context: EvaluationContext) =>
      boundArguments(compiled, tool, args, context),
    editFields: (tool: string, paths: readonly string[]) =>
      editFieldsOf(compiled.candidates(tool).tool.schema?.schema ?? true, paths),
    traits: (tool: string) => compiled.candidates(tool).tool.traits,
    keeping: (tool: string, environment: string) =>
      keepingOf(compiled.candidates(tool).tool.keeping, keptIn(compiled.environments, environment)),
    ...limits,
  });
}

function compileRules(model: PolicyModel, hash: Hash): readonly ScopedRule[] {
  const conditions = compileConditions(model);
  return model.rules.map((rule) => ({
    scope: rule.scope,
    rule: compileRule(rule, conditions, model, hash),
    changes: rule.changes,
  }));
}

/** One program for each condition, however many rules share it. */
function compileConditions(model: PolicyModel): ReadonlyMap<ConditionModel, CompiledCondition> {
  const compiled = new Map<ConditionModel, CompiledCondition>();
  for (const { condition } of model.rules) {
    if (condition === null || compiled.has(condition)) continue;
    const { expr, opaque } = condition;
    compiled.set(
      condition,
      opaque === undefined
        ? { test: conditionTest(expr, model.env), expr, names: [...namesIn(expr)], opaque: false }
        : { test: (variables) => answerOf(opaque, variables), expr, names: OPAQUE_NAMES, opaque: true },
    );
  }
  return compiled;
}

function compileRule(
  rule: RuleModel,
  conditions: ReadonlyMap<ConditionModel, CompiledCondition>,
  model: PolicyModel,
  hash: Hash,
): CompiledRule {
  const { approval, scope } = rule;
  return {
    id: rule.id,
    span: rule.span,
    verdict: rule.verdict,
    observe: rule.observe,
    agents: nameMatcher(scope.agents),
    environments: scope.environments === null ? null : new Set(scope.environments),
    principals: scope.principals,
    condition: rule.condition === null ? null : compiledOf(rule.condition, conditions),
    says: { true: sayOf(rule, "true"), false: sayOf(rule, "false"), error: sayOf(rule, "error") },
    reason: rule.reason,
    fix: rule.fix,
    pause: approval === null ? null : pauseOf(rule, approval, model, hash),
    changes: [],
  };
}

function pauseOf(
  rule: RuleModel,
  approval: ApprovalTerms,
  { constants, definitions }: PolicyModel,
  hash: Hash,
): () => PauseReason {
  let made: PauseReason | undefined;
  return () => {
    made ??= {
      id: rule.id,
      digest: ruleDigest(rule, { constants, definitions }, hash),
      reason: rule.reason ?? "",
      approval,
    };
    return made;
  };
}

function compiledOf(
  condition: ConditionModel,
  conditions: ReadonlyMap<ConditionModel, CompiledCondition>,
): CompiledCondition {
  const compiled = conditions.get(condition);
  // A condition that got lost would read as "always".
  invariant(compiled !== undefined, "every condition is compiled");
  return compiled;
}
