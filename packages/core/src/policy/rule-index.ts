/** Which rules may concern a tool, found at its first call and kept. */
import type { Json } from "../value/json.ts";
import type { CelEnv } from "./cel/types.ts";
import { compileChanges } from "./change/apply.ts";
import { withArgs } from "./check-arguments.ts";
import type { CompiledRule } from "./compile.ts";
import { conditionTest } from "./condition-test.ts";
import { isGlob } from "./glob.ts";
import { type Guard, guardOf } from "./guard.ts";
import { compareText } from "./issue.ts";
import type { ChangeModel, RuleScope } from "./model.ts";
import { type Plan, Planner } from "./plan.ts";
import { toolInScope } from "./scope.ts";
import type { ToolFacts, ToolTable } from "./tool-table.ts";
import { namesIn } from "./value-expression.ts";

/**
 * What may concern calls of one tool, whoever makes them. `rules` and `plan` are parallel, by rule id: most
 * rules of a call do not match, and those are passed over without a look at the rule itself.
 */
export interface Candidates {
  readonly tool: ToolFacts;
  readonly rules: readonly CompiledRule[];
  readonly plan: Plan;
  /** Names that some condition, change or bind among them mentions: nothing else is looked up. */
  readonly names: readonly string[];
  /** The types of variables for this tool. */
  readonly env: CelEnv;
  /** What its arguments must be and what the host decides of them; null where nothing is known. */
  readonly guard: Guard | null;
  /** Some condition reads what the run has done before. */
  readonly history: boolean;
  /** Some rule changes arguments. */
  readonly changes: boolean;
}

/** How many rules the kept candidates may hold together. A model can make up names without end; the cache then starts anew. */
const CACHED_RULES = 500_000;

export interface ScopedRule {
  readonly scope: RuleScope;
  readonly rule: CompiledRule;
  readonly changes: readonly ChangeModel[];
}

export class RuleIndex {
  readonly #tools: ToolTable;
  /** Rules that name this tool without a glob. */
  readonly #byTool = new Map<string, ScopedRule[]>();
  /** All others: any tool may be meant. */
  readonly #wide: ScopedRule[] = [];
  readonly #cache = new Map<string, Candidates>();
  #cachedRules = 0;
  readonly #planner: Planner;
  readonly #env: CelEnv;

  constructor(
    rules: readonly ScopedRule[],
    tools: ToolTable,
    { constants, env }: { readonly constants: ReadonlyMap<string, Json>; readonly env: CelEnv },
  ) {
    this.#tools = tools;
    this.#planner = new Planner(constants);
    this.#env = env;
    for (const scoped of rules) {
      const names = scoped.scope.tools;
      if (names === null || names.some(isGlob)) this.#wide.push(scoped);
      else for (const name of new Set(names)) this.#add(name, scoped);
    }
  }

  candidates(tool: string): Candidates {
    const cached = this.#cache.get(tool);
    if (cached !== undefined) return cached;
    const found = this.#find(this.#tools.facts(tool));
    // A tool without rules takes room as well.
    this.#cachedRules += found.rules.length + 50;
    if (this.#cachedRules > CACHED_RULES) {
      this.#cache.clear();
      this.#cachedRules = found.rules.length + 50;
    }
    this.#cache.set(tool, found);
    return found;
  }

  #add(name: string, scoped: ScopedRule): void {
    const rules = this.#byTool.get(name);
    if (rules === undefined) this.#byTool.set(name, [scoped]);
    else rules.push(scoped);
  }

  #find(tool: ToolFacts): Candidates {
    const env = tool.schema === null ? this.#env : withArgs(this.#env, tool.schema.args);
    const scoped = [...(this.#byTool.get(tool.name) ?? []), ...this.#wide].filter(({ scope }) =>
      toolInScope(scope, tool),
    );
    const rules = scoped.map((one) => forTool(one, tool, env)).sort((a, b) => compareText(a.id, b.id));
    const guard = guardOf(tool, env);
    const written = scoped.flatMap(({ changes }) =>
      changes.flatMap((one) => (one.kind === "set" ? [one.to.expr] : [])),
    );
    const names = new Set([
      ...rules.flatMap(({ condition }) => condition?.names ?? []),
      ...written.flatMap((expr) => [...namesIn(expr)]),
      ...(guard?.names ?? []),
    ]);
    return {
      tool,
      rules,
      plan: this.#planner.plan(
        rules.map(({ condition, says }) => ({
          condition: condition?.expr ?? null,
          speaks: says.false.verdict !== null,
        })),
      ),
      names: [...names],
      history: names.has("run"),
      env,
      guard,
      changes: scoped.some(({ changes }) => changes.length > 0),
    };
  }
}

/** The same rule with its expressions compiled for the tool's own types: a `number` is a double there, also where it is whole. */
function forTool({ rule, changes }: ScopedRule, tool: ToolFacts, env: CelEnv): CompiledRule {
  if (tool.schema === null && changes.length === 0) return rule;
  const { condition } = rule;
  const typed =
    condition === null || condition.opaque || tool.schema === null
      ? condition
      : { ...condition, test: conditionTest(condition.expr, env) };
  return { ...rule, condition: typed, changes: compileChanges(rule.id, changes, env) };
}
