/** A checked model → the policy set that the gate asks. */
import type { ToolCall } from "../call.ts";
import type { Decision, EvaluationContext, PauseReason, Span, Verdict } from "../decision.ts";
import type { Hash } from "../ports.ts";
import { childrenOf, type Expr } from "./cel/ast.ts";
import { type CelProgram, compileCel } from "./cel/index.ts";
import type { CelEnv } from "./cel/types.ts";
import { type Matched, type Say, sayOf } from "./combine.ts";
import { revisionOf, ruleDigest } from "./digest.ts";
import { evaluate } from "./evaluate.ts";
import { isGlob } from "./glob.ts";
import { compareText } from "./issue.ts";
import type { EnvironmentModel, PolicyModel, RuleModel } from "./model.ts";
import type { CompiledPolicySet } from "./policy-set.ts";
import { type Matcher, nameMatcher, toolInScope } from "./scope.ts";
import { type ToolFacts, ToolTable } from "./tool-table.ts";

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
  readonly condition: { readonly program: CelProgram; readonly expr: Expr } | null;
  /** Names that the condition mentions. */
  readonly names: ReadonlySet<string>;
  readonly says: Readonly<Record<Matched, Say>>;
  readonly reason: string | null;
  readonly fix: string | null;
  readonly pause: PauseReason | null;
}

/** What may concern calls of one tool, whoever makes them: rules sorted by id. */
export interface Candidates {
  readonly tool: ToolFacts;
  readonly rules: readonly CompiledRule[];
  /** Names that some condition among them mentions: nothing else is looked up. */
  readonly names: ReadonlySet<string>;
}

/** Everything that evaluation reads; immutable but for a cache. */
export interface Compiled {
  readonly revision: string;
  readonly model: PolicyModel;
  readonly env: CelEnv;
  /** Sorted by name. */
  readonly environments: readonly EnvironmentModel[];
  candidates(tool: string): Candidates;
}

/** How many tools' candidates are kept. A model can make up names without end; the cache then starts anew. */
const CACHED_TOOLS = 8_192;

/** Compiles a model that was checked without errors. `hash` makes the revision and the digests of pause reasons. */
export function compilePolicies(model: PolicyModel, hash: Hash): CompiledPolicySet {
  const tools = new ToolTable(model.tools);
  const index = new RuleIndex(
    model.rules.map((rule) => [rule.scope, compileRule(rule, model, hash)] as const),
    tools,
  );
  const compiled: Compiled = {
    revision: revisionOf(model, hash),
    model,
    env: model.env,
    environments: [...model.environments.values()].sort((a, b) => compareText(a.name, b.name)),
    candidates: (tool) => index.candidates(tool),
  };
  const named = new Set(model.rules.flatMap((rule) => rule.scope.tools ?? []).filter((name) => !isGlob(name)));
  return Object.freeze({
    revision: compiled.revision,
    environments: compiled.environments.map(({ name, observe }) => ({ name, observe })),
    rules: model.rules
      .map(({ id, span, verdict, observe }) => ({ id, span, verdict, observe }))
      .sort((a, b) => compareText(a.id, b.id)),
    evaluate: (call: ToolCall, context: EvaluationContext): Decision => evaluate(compiled, call, context, false),
    explain: (call: ToolCall, context: EvaluationContext): Decision => evaluate(compiled, call, context, true),
    kind: (tool: string) => index.candidates(tool).tool.kind,
    declares: (tool: string) => tools.declares(tool) || named.has(tools.canonical(tool)),
  });
}

function compileRule(rule: RuleModel, model: PolicyModel, hash: Hash): CompiledRule {
  const { condition, approval, scope } = rule;
  const names = new Set<string>();
  if (condition !== null) collectNames(condition.expr, names);
  return {
    id: rule.id,
    span: rule.span,
    verdict: rule.verdict,
    observe: rule.observe,
    agents: nameMatcher(scope.agents),
    environments: scope.environments === null ? null : new Set(scope.environments),
    principals: scope.principals,
    condition: condition === null ? null : { program: compileCel(condition.expr, model.env), expr: condition.expr },
    names,
    says: { true: sayOf(rule, "true"), false: sayOf(rule, "false"), error: sayOf(rule, "error") },
    reason: rule.reason,
    fix: rule.fix,
    pause:
      approval === null
        ? null
        : { id: rule.id, digest: ruleDigest(rule, model, hash), reason: rule.reason ?? "", approval },
  };
}

function collectNames(expr: Expr, names: Set<string>): void {
  if (expr.kind === "identifier") names.add(expr.name);
  for (const child of childrenOf(expr)) collectNames(child, names);
}

type ScopedRule = readonly [RuleModel["scope"], CompiledRule];

class RuleIndex {
  readonly #tools: ToolTable;
  /** Rules that name this tool without a glob. */
  readonly #byTool = new Map<string, ScopedRule[]>();
  /** All others: any tool may be meant. */
  readonly #wide: ScopedRule[] = [];
  readonly #cache = new Map<string, Candidates>();

  constructor(rules: readonly ScopedRule[], tools: ToolTable) {
    this.#tools = tools;
    for (const scoped of rules) {
      const names = scoped[0].tools;
      if (names === null || names.some(isGlob)) this.#wide.push(scoped);
      else for (const name of new Set(names)) this.#add(name, scoped);
    }
  }

  #add(name: string, scoped: ScopedRule): void {
    const rules = this.#byTool.get(name);
    if (rules === undefined) this.#byTool.set(name, [scoped]);
    else rules.push(scoped);
  }

  candidates(tool: string): Candidates {
    const cached = this.#cache.get(tool);
    if (cached !== undefined) return cached;
    const facts = this.#tools.facts(tool);
    const rules = [...(this.#byTool.get(facts.name) ?? []), ...this.#wide]
      .filter(([scope]) => toolInScope(scope, facts))
      .map(([, rule]) => rule)
      .sort((a, b) => compareText(a.id, b.id));
    const found = { tool: facts, rules, names: new Set(rules.flatMap((rule) => [...rule.names])) };
    if (this.#cache.size >= CACHED_TOOLS) this.#cache.clear();
    this.#cache.set(tool, found);
    return found;
  }
}
