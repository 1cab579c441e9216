/** How the scopes of two rules lie to one another. */
import { globMatches, isGlob } from "../glob.ts";
import type { PolicyModel, RuleModel, RuleScope } from "../model.ts";
import { toolInScope } from "../scope.ts";
import { type ToolFacts, ToolTable } from "../tool-table.ts";

/** What is known of tools, each looked up once. */
export class Tools {
  readonly #table: ToolTable;
  readonly #known = new Map<string, ToolFacts>();

  constructor(model: PolicyModel) {
    this.#table = new ToolTable(model.tools, model.framework);
  }

  facts(name: string): ToolFacts {
    const known = this.#known.get(name) ?? this.#table.facts(name);
    this.#known.set(name, known);
    return known;
  }
}

/** Whether every call that `inner` speaks of is surely one that `outer` speaks of. */
export function scopeCovers(outer: RuleScope, inner: RuleScope, tools: Tools, model: PolicyModel): boolean {
  return (
    toolsCovered(outer, inner, tools) &&
    namesCovered(outer.agents, inner.agents) &&
    (outer.environments === null ||
      (inner.environments ?? [...model.environments.keys()]).every((name) => outer.environments?.includes(name))) &&
    (outer.principals === null || inner.principals?.every((one) => outer.principals?.includes(one)) === true)
  );
}

export function sameScope(a: RuleScope, b: RuleScope, tools: Tools, model: PolicyModel): boolean {
  return scopeCovers(a, b, tools, model) && scopeCovers(b, a, tools, model);
}

/** The tools that a rule names one by one; null where it may mean any other as well. */
export function exactTools(scope: RuleScope): readonly string[] | null {
  return scope.tools === null || scope.tools.some(isGlob) ? null : scope.tools;
}

function toolsCovered(outer: RuleScope, inner: RuleScope, tools: Tools): boolean {
  const exact = exactTools(inner);
  const byName = inner.kinds === null && inner.labels === null && outer.kinds === null && outer.labels === null;
  if (exact !== null && !byName) {
    const meant = exact.map((name) => tools.facts(name)).filter((tool) => toolInScope(inner, tool));
    return meant.every((tool) => toolInScope(outer, tool));
  }
  return (
    namesCovered(outer.tools, inner.tools) &&
    (outer.kinds === null || inner.kinds?.every((kind) => outer.kinds?.includes(kind)) === true) &&
    (outer.labels === null || inner.labels?.every((label) => outer.labels?.includes(label)) === true)
  );
}

/** Null is "all". Coarse for two globs: only the same one, or one whose texts lie in the other as they stand. */
function namesCovered(outer: readonly string[] | null, inner: readonly string[] | null): boolean {
  if (outer === null || outer.includes("*")) return true;
  const [only = ""] = inner ?? [];
  if (inner?.length === 1 && outer.includes(only)) return true;
  return inner?.every((name) => outer.some((pattern) => pattern === name || globMatches(pattern, name))) === true;
}

/** Every tool that the policies name, and one name for each glob and for all that is named nowhere. */
export function toolNames(model: PolicyModel): readonly string[] {
  const patterns = new Set([
    ...model.tools.map((tool) => tool.name),
    ...model.framework.keys(),
    ...model.rules.flatMap((rule) => rule.scope.tools ?? []),
  ]);
  return [...new Set([...patterns].map(nameFor))].sort();
}

/** Rules by the tools that they may concern. */
export class RulesByTool {
  readonly #exact = new Map<string, RuleModel[]>();
  readonly #tools: Tools;
  readonly #found = new Map<string, readonly RuleModel[]>();
  /** Rules that do not name their tools one by one. */
  readonly wide: readonly RuleModel[];

  constructor(rules: readonly RuleModel[], tools: Tools) {
    this.#tools = tools;
    this.wide = rules.filter((rule) => exactTools(rule.scope) === null);
    for (const rule of rules) {
      for (const name of new Set(exactTools(rule.scope))) {
        const known = this.#exact.get(name);
        if (known === undefined) this.#exact.set(name, [rule]);
        else known.push(rule);
      }
    }
  }

  /** Every rule that speaks of this tool. */
  of(tool: string): readonly RuleModel[] {
    const known = this.#found.get(tool);
    if (known !== undefined) return known;
    const facts = this.#tools.facts(tool);
    const rules = [...(this.#exact.get(facts.name) ?? []), ...this.wide].filter((rule) =>
      toolInScope(rule.scope, facts),
    );
    this.#found.set(tool, rules);
    return rules;
  }

  /** Tools that some rule names without a glob. */
  named(): readonly string[] {
    return [...this.#exact.keys()];
  }

  /** Rules that may cover a rule's whole scope. */
  around(scope: RuleScope): readonly RuleModel[] {
    const [first] = exactTools(scope) ?? [];
    return first === undefined ? this.wide : this.of(first);
  }
}

/** A name that fits a pattern. */
export function nameFor(pattern: string): string {
  return pattern === "*" ? "any_tool" : pattern.replaceAll("*", "x");
}
