/** To whom and what something applies, against what is declared. */
import type { Span } from "../decision.ts";
import { globMatches, isGlob } from "./glob.ts";
import { type IssueDetails, type Issues, quote } from "./issue.ts";
import type { EnvironmentModel, RuleScope } from "./model.ts";
import { nearest } from "./nearest.ts";
import type { ToolKind } from "./policy-set.ts";
import { hint } from "./read.ts";
import type { Located } from "./shape.ts";
import type { ToolTable } from "./tool-table.ts";

export interface ScopeSurroundings {
  readonly environments: ReadonlyMap<string, EnvironmentModel>;
  readonly tools: ToolTable;
  /** Tools that exist, where the caller knows them. */
  readonly known: readonly string[];
  /** False where what only an unread file may declare is not asked for. */
  readonly whole: boolean;
}

/** The keys of a scope, as typed by the format; each may be missing in it. */
export interface ScopeSource {
  readonly span: Span;
  readonly tool?: readonly Located[];
  readonly kind?: readonly ToolKind[];
  readonly label?: readonly Located[];
  readonly model?: readonly Located[];
  readonly agent?: readonly Located[];
  readonly env?: readonly Located[];
  readonly principal?: readonly Located[];
}

export class ScopeChecker {
  readonly #around: ScopeSurroundings;
  readonly #issues: Issues;
  /** Every tool name that is surely there. */
  readonly #names: ReadonlySet<string>;
  readonly #labels: ReadonlySet<string>;

  constructor(around: ScopeSurroundings, issues: Issues) {
    this.#around = around;
    this.#issues = issues;
    this.#names = new Set([...around.tools.names(), ...around.known.map((name) => name.normalize("NFC"))]);
    this.#labels = around.tools.labels();
  }

  /** Complete only where no error was added. */
  check(source: ScopeSource, details: IssueDetails): RuleScope {
    for (const key of ["tool", "kind", "label", "model", "agent", "env", "principal"] as const) {
      if (source[key]?.length === 0) {
        const message = `${quote(key)} is an empty list, which matches nothing; remove it`;
        this.#issues.error("empty", source.span, message, details);
      }
    }
    for (const tool of source.tool ?? []) this.#tool(tool, details);
    for (const label of source.label ?? []) this.#known(label, this.#labels, "label", details);
    for (const environment of source.env ?? []) {
      this.#known(environment, this.#around.environments, "environment", details);
    }
    return {
      tools: values(source.tool)?.map((name) => this.#around.tools.canonical(name)) ?? null,
      kinds: source.kind ?? null,
      labels: values(source.label),
      agents: values(source.agent),
      environments: values(source.env),
      principals: values(source.principal),
    };
  }

  /** An alias → the name it stands for; any other name → itself. */
  canonical(tool: string): string {
    return this.#around.tools.canonical(tool);
  }

  #tool(tool: Located, details: IssueDetails): void {
    if (isGlob(tool.value)) {
      if (this.#names.size > 0 && ![...this.#names].some((name) => globMatches(tool.value, name))) {
        this.#issues.warning("unknown-tool", tool.span, `${quote(tool.value)} matches no known tool`, details);
      }
      return;
    }
    if (!this.#around.whole || this.#names.has(tool.value) || this.#around.tools.knows(tool.value)) return;
    const suggestion = nearest(tool.value, this.#names);
    const advice = suggestion === undefined ? "; declare it under `tools`" : hint(suggestion);
    const message = `unknown tool ${quote(tool.value)}${advice}`;
    this.#issues.error("unknown-tool", tool.span, message, { ...details, suggestion });
  }

  #known(
    name: Located,
    known: { has(name: string): boolean; keys(): Iterable<string> },
    what: string,
    details: IssueDetails,
  ): void {
    if (!this.#around.whole || known.has(name.value)) return;
    const suggestion = nearest(name.value, known.keys());
    const message = `unknown ${what} ${quote(name.value)}${hint(suggestion)}`;
    this.#issues.error(`unknown-${what}`, name.span, message, { ...details, suggestion });
  }
}

function values(names: readonly Located[] | undefined): readonly string[] | null {
  return names?.map((name) => name.value) ?? null;
}
