/** Which rules may concern a tool, found at its first call and kept. */
import type { Json } from "../json.ts";
import type { CompiledRule } from "./compile.ts";
import { isGlob } from "./glob.ts";
import { compareText } from "./issue.ts";
import type { RuleScope } from "./model.ts";
import { type Plan, planOf } from "./plan.ts";
import { toolInScope } from "./scope.ts";
import type { ToolFacts, ToolTable } from "./tool-table.ts";

/**
 * What may concern calls of one tool, whoever makes them. `rules`, `plan` and `speaks` are parallel, by rule id: most
 * rules of a call do not match, and those are passed over without a look at the rule itself.
 */
export interface Candidates {
  readonly tool: ToolFacts;
  readonly rules: readonly CompiledRule[];
  readonly plan: Plan;
  /** 1 where the rule says something although its condition is false. */
  readonly speaks: Uint8Array;
  /** Names that some condition among them mentions: nothing else is looked up. */
  readonly names: readonly string[];
}

/** How many rules the kept candidates may hold together. A model can make up names without end; the cache then starts anew. */
const CACHED_RULES = 500_000;

export interface ScopedRule {
  readonly scope: RuleScope;
  readonly rule: CompiledRule;
}

export class RuleIndex {
  readonly #tools: ToolTable;
  /** Rules that name this tool without a glob. */
  readonly #byTool = new Map<string, ScopedRule[]>();
  /** All others: any tool may be meant. */
  readonly #wide: ScopedRule[] = [];
  readonly #cache = new Map<string, Candidates>();
  #cachedRules = 0;
  readonly #constants: ReadonlyMap<string, Json>;

  constructor(rules: readonly ScopedRule[], tools: ToolTable, constants: ReadonlyMap<string, Json>) {
    this.#tools = tools;
    this.#constants = constants;
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
    const rules = [...(this.#byTool.get(tool.name) ?? []), ...this.#wide]
      .filter(({ scope }) => toolInScope(scope, tool))
      .map(({ rule }) => rule)
      .sort((a, b) => compareText(a.id, b.id));
    return {
      tool,
      rules,
      plan: planOf(
        rules.map(({ condition }) => condition?.expr ?? null),
        this.#constants,
      ),
      speaks: Uint8Array.from(rules, ({ says }) => (says.false.verdict === null ? 0 : 1)),
      names: [...new Set(rules.flatMap(({ condition }) => condition?.names ?? []))],
    };
  }
}
