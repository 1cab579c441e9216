/** Which rules may concern a tool, found at its first call and kept. */

import type { CompiledRule, Test } from "./compile.ts";
import { isGlob } from "./glob.ts";
import { compareText } from "./issue.ts";
import type { RuleScope } from "./model.ts";
import { toolInScope } from "./scope.ts";
import type { ToolFacts, ToolTable } from "./tool-table.ts";

/**
 * What may concern calls of one tool, whoever makes them. `rules`, `tests` and `flags` are parallel, by rule id: most
 * rules of a call do not match, and those are passed over without touching more memory than these lists.
 */
export interface Candidates {
  readonly tool: ToolFacts;
  readonly rules: readonly CompiledRule[];
  /** Null is "always". */
  readonly tests: readonly (Test | null)[];
  readonly flags: readonly number[];
  /** Names that some condition among them mentions: nothing else is looked up. */
  readonly names: readonly string[];
}

/** Set in `flags`: the rule has a scope beside the tool. */
export const SCOPED = 1;
/** Set in `flags`: the rule says something where its condition is false. */
export const SPEAKS = 2;

/** How many tools' candidates are kept. A model can make up names without end; the cache then starts anew. */
const CACHED_TOOLS = 8_192;

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

  constructor(rules: readonly ScopedRule[], tools: ToolTable) {
    this.#tools = tools;
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
    if (this.#cache.size >= CACHED_TOOLS) this.#cache.clear();
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
      tests: rules.map(({ condition }) => condition?.test ?? null),
      flags: rules.map(flagsOf),
      names: [...new Set(rules.flatMap(({ condition }) => condition?.names ?? []))],
    };
  }
}

function flagsOf(rule: CompiledRule): number {
  const scoped = rule.environments !== null || rule.agents !== null || rule.principals !== null;
  return (scoped ? SCOPED : 0) | (rule.says.false.verdict === null ? 0 : SPEAKS);
}
