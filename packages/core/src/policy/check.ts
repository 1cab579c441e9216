/** Trees → one checked model, or every issue of every file. A set that is not whole is not there at all. */

import { checkBinds, checkBindTypes } from "./bind-check.ts";
import type { Expr } from "./cel/ast.ts";
import type { CelEnv, Zones } from "./cel/types.ts";
import { checkChanges } from "./change/check.ts";
import { checkChangeConflicts } from "./change/conflicts.ts";
import { ArgumentChecker } from "./check-arguments.ts";
import { checkTest } from "./check-tests.ts";
import { Conditions, celEnv, RESERVED_NAMES, resolveDefinitions } from "./condition.ts";
import { POLICY_FORMAT, type RouteSource, type RuleSource } from "./format.ts";
import { globMatches, isGlob } from "./glob.ts";
import { Issues, type PolicyIssue, quote } from "./issue.ts";
import { mergeConstants, mergeContext, mergeEnvironments, mergeRoutes, mergeTools, section, unique } from "./merge.ts";
import type { EnvironmentModel, PolicyDocument, PolicyModel, RuleModel, ToolModel } from "./model.ts";
import { fold, nearest } from "./nearest.ts";
import { hint, readShape } from "./read.ts";
import { checkRoutes, termsOf } from "./routes.ts";
import type { Located } from "./shape.ts";
import { declaredSchema, frameworkTools, type SchemaSources } from "./tool-schemas.ts";
import { ToolTable } from "./tool-table.ts";
import type { PolicyTree } from "./tree.ts";

export interface CheckOptions extends SchemaSources {
  /** Tools that exist, where the caller knows them: rules may name these and the declared ones. */
  readonly knownTools?: readonly string[];
  /** The calendar behind time zones by name; absent, such a name is an error. */
  readonly zones?: Zones;
  /** False where some files of the set could not be read: what only they may declare is then not asked for. */
  readonly whole?: boolean;
  /** Looks at the rules that were checked without an error, and warns: `analyse`. Absent: nobody does. */
  readonly analyse?: (model: PolicyModel, errors: readonly PolicyIssue[]) => readonly PolicyIssue[];
}

export type CheckResult =
  | { readonly ok: true; readonly model: PolicyModel; readonly warnings: readonly PolicyIssue[] }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] };

export function checkPolicies(trees: readonly PolicyTree[], options: CheckOptions = {}): CheckResult {
  const issues = new Issues();
  const documents = trees.flatMap((tree) => readDocument(tree, issues));
  const model = checkModel(documents, options, issues);
  if (options.whole !== false) issues.all.push(...(options.analyse?.(model, issues.all) ?? []));
  return issues.hasErrors() ? { ok: false, issues: issues.sorted() } : { ok: true, model, warnings: issues.sorted() };
}

function readDocument(tree: PolicyTree, issues: Issues): readonly PolicyDocument[] {
  const source = readShape(tree.root, POLICY_FORMAT, "the file", issues);
  if (source === undefined) return [];
  const empty = (source.rules ?? []).length === 0 && (source.environments ?? []).length === 0;
  const shared = [source.tools, source.routes, source.let, source.define, source.context, source.tests];
  if (empty && shared.every((part) => part === undefined)) {
    issues.error("empty", tree.root.span, "the file decides nothing: it has neither rules nor environments");
  }
  return [{ file: tree.file, source }];
}

function checkModel(documents: readonly PolicyDocument[], options: CheckOptions, issues: Issues): PolicyModel {
  const environments = mergeEnvironments(documents, issues);
  const routes = mergeRoutes(documents, issues);
  const context = mergeContext(documents, issues);
  const constants = mergeConstants(documents, issues);
  const env = celEnv(context, constants, options.zones);
  const { definitions, texts, ruleEnv } = checkDefinitions(documents, env, issues);
  const tools = mergeTools(
    documents,
    (tool, { schema, bind }, span) => ({
      schema: schema === undefined ? null : declaredSchema(tool, schema, span, options, issues),
      binds: bind === undefined ? [] : checkBinds(bind, { env: ruleEnv, definitions }, issues),
    }),
    issues,
  );
  const framework = checkFramework(documents, tools, options, issues);
  const table = new ToolTable(tools, framework);
  checkAllBinds(tools, table, issues);
  checkRoutes(routes, issues);
  const checker = new RuleChecker(
    {
      environments,
      routes,
      env: ruleEnv,
      definitions,
      tools: table,
      known: options.knownTools ?? [],
      whole: options.whole ?? true,
    },
    issues,
  );
  const rules = documents.flatMap(({ source }) => (source.rules ?? []).flatMap((rule) => checker.check(rule) ?? []));
  checkIds(rules, issues);
  checkChangeConflicts(rules, issues);
  if (options.whole !== false) {
    checkEnvironments(documents, environments, issues);
    for (const test of documents.flatMap(({ source }) => source.tests ?? [])) checkTest(test, environments, issues);
  }
  return { documents, environments, tools, framework, constants, definitions: texts, context, rules, env };
}

/** The framework's schema counts where no entry of the policies gives one, by name, alias or glob. */
function checkFramework(
  documents: readonly PolicyDocument[],
  tools: readonly ToolModel[],
  options: CheckOptions,
  issues: Issues,
): PolicyModel["framework"] {
  const [first] = documents;
  if (first === undefined) return new Map();
  const declared = new ToolTable(tools);
  return frameworkTools(options, (tool) => declared.facts(tool).schema !== null, first.source.span, issues);
}

function checkAllBinds(tools: readonly ToolModel[], table: ToolTable, issues: Issues): void {
  for (const { name, binds } of tools) {
    const { schema } = table.facts(name);
    if (schema !== null && !isGlob(name)) checkBindTypes(name, binds, schema, issues);
  }
}

function checkDefinitions(documents: readonly PolicyDocument[], env: CelEnv, issues: Issues) {
  const entries = [
    ...unique(
      section(documents, (file) => file.define),
      "definition",
      issues,
    ).values(),
  ];
  for (const { key, span } of entries) {
    if (Object.hasOwn(env.variables, key) || RESERVED_NAMES.includes(key)) {
      issues.error("bad-name", span, `${quote(key)} already has a meaning in conditions`);
    }
  }
  const definitions = resolveDefinitions(entries, env, issues);
  // A definition that failed was reported once; each rule that uses it need not say so again.
  const failed = entries.filter(({ key }) => !definitions.has(key)).map(({ key }) => [key, { kind: "dyn" }] as const);
  const texts = new Map(entries.map(({ key, value }) => [key, value.value]));
  return { definitions, texts, ruleEnv: { ...env, variables: { ...env.variables, ...Object.fromEntries(failed) } } };
}

/** Ids are unique over all files; two that differ only in case would be read as one by people. */
function checkIds(rules: readonly RuleModel[], issues: Issues): void {
  const ids = new Map<string, RuleModel>();
  for (const rule of rules) {
    const twin = ids.get(fold(rule.id));
    if (twin !== undefined) {
      const place = `${twin.span.file}:${twin.span.line}:${twin.span.column}`;
      issues.error("duplicate-id", rule.span, `rule ${quote(rule.id)} is already at ${place}`, { rule: rule.id });
    }
    ids.set(fold(rule.id), rule);
  }
}

function checkEnvironments(
  documents: readonly PolicyDocument[],
  environments: ReadonlyMap<string, EnvironmentModel>,
  issues: Issues,
): void {
  const first = documents[0];
  if (first === undefined || environments.size > 0) return;
  issues.error(
    "missing-key",
    first.source.span,
    "no file declares `environments`; add `environments: { prod: { unmatched: deny } }`",
  );
}

interface RuleSurroundings {
  readonly environments: ReadonlyMap<string, EnvironmentModel>;
  readonly routes: ReadonlyMap<string, RouteSource>;
  readonly env: CelEnv;
  readonly definitions: ReadonlyMap<string, Expr>;
  readonly tools: ToolTable;
  readonly known: readonly string[];
  readonly whole: boolean;
}

class RuleChecker {
  readonly #around: RuleSurroundings;
  readonly #issues: Issues;
  /** Every tool name that is surely there. */
  readonly #names: ReadonlySet<string>;
  readonly #labels: ReadonlySet<string>;
  readonly #conditions: Conditions;
  readonly #arguments: ArgumentChecker;

  constructor(around: RuleSurroundings, issues: Issues) {
    this.#around = around;
    this.#issues = issues;
    this.#names = new Set([...around.tools.names(), ...around.known.map((name) => name.normalize("NFC"))]);
    this.#labels = around.tools.labels();
    this.#conditions = new Conditions(around.env, around.definitions, issues);
    this.#arguments = new ArgumentChecker(around.tools, around.env, issues);
  }

  /** Undefined where the rule's own id is missing; otherwise complete only if no error was added. */
  check(source: RuleSource): RuleModel | undefined {
    // Keys that did not read were reported; what is required may still be absent here.
    const { id, then }: Partial<RuleSource> = source;
    const rule = id?.value ?? "";
    this.#scope(source, rule);
    const condition = source.when === undefined ? null : this.#conditions.check(source.when, rule);
    if (id === undefined || then === undefined) return undefined;
    this.#keys(source, rule);
    const otherwise = source.else ?? null;
    const asks = then === "allow" && source.approval !== undefined && otherwise !== "pause";
    const pauses = then === "pause" || otherwise === "pause" || asks;
    const checked: RuleModel = {
      id: rule,
      span: id.span,
      scope: {
        tools: values(source.tool)?.map((name) => this.#around.tools.canonical(name)) ?? null,
        kinds: source.kind ?? null,
        labels: values(source.label),
        agents: values(source.agent),
        environments: values(source.env),
        principals: values(source.principal),
      },
      condition,
      verdict: then,
      otherwise,
      approval: pauses ? termsOf(source, this.#around.routes, this.#issues) : null,
      asks,
      reason: source.reason ?? null,
      fix: source.fix ?? null,
      observe: source.mode === "observe",
      changes: this.#changes(source, rule),
    };
    this.#arguments.check(checked, source.when);
    return checked;
  }

  #changes(source: RuleSource, rule: string): RuleModel["changes"] {
    const { change } = source;
    if (change === undefined) return [];
    const { env, definitions } = this.#around;
    if (source.then === "deny") {
      this.#issues.error("bad-value", source.id.span, "`change` has no meaning on a deny rule; remove it", { rule });
    }
    if (change.length === 0) {
      this.#issues.error("empty", source.id.span, "`change` is an empty list; remove it", { rule });
    }
    return checkChanges(change, { env, definitions }, this.#issues, rule);
  }

  #keys(source: RuleSource, rule: string): void {
    const { span } = source.id;
    const details = { rule };
    if (source.else !== undefined && source.then !== "allow") {
      this.#issues.error("bad-value", span, "`else` belongs to allow rules only; remove it", details);
    }
    if (source.else !== undefined && source.when === undefined) {
      this.#issues.error(
        "bad-value",
        span,
        "`else` never applies without `when`; add a condition or remove it",
        details,
      );
    }
    if (source.approval !== undefined && source.then === "deny") {
      this.#issues.error("bad-value", span, "`approval` has no meaning on a deny rule; remove it", details);
    }
  }

  #scope(source: RuleSource, rule: string): void {
    if (source.tool === undefined && source.kind === undefined && source.label === undefined) {
      this.#issues.error(
        "missing-key",
        source.span,
        `rule ${quote(rule)} needs at least one of \`tool\`, \`kind\`, \`label\``,
        { rule },
      );
    }
    for (const key of ["tool", "kind", "label", "agent", "env", "principal"] as const) {
      if (source[key]?.length === 0) {
        this.#issues.error("empty", source.span, `${quote(key)} is an empty list, which matches nothing; remove it`, {
          rule,
        });
      }
    }
    for (const tool of source.tool ?? []) this.#tool(tool, rule);
    for (const label of source.label ?? []) this.#known(label, this.#labels, "label", rule);
    for (const environment of source.env ?? []) {
      this.#known(environment, this.#around.environments, "environment", rule);
    }
  }

  #tool(tool: Located, rule: string): void {
    if (isGlob(tool.value)) {
      if (this.#names.size > 0 && ![...this.#names].some((name) => globMatches(tool.value, name))) {
        this.#issues.warning("unknown-tool", tool.span, `${quote(tool.value)} matches no known tool`, { rule });
      }
      return;
    }
    if (!this.#around.whole || this.#names.has(tool.value) || this.#around.tools.knows(tool.value)) return;
    const suggestion = nearest(tool.value, this.#names);
    const advice = suggestion === undefined ? "; declare it under `tools`" : hint(suggestion);
    this.#issues.error("unknown-tool", tool.span, `unknown tool ${quote(tool.value)}${advice}`, { rule, suggestion });
  }

  #known(
    name: Located,
    known: { has(name: string): boolean; keys(): Iterable<string> },
    what: string,
    rule: string,
  ): void {
    if (!this.#around.whole || known.has(name.value)) return;
    const suggestion = nearest(name.value, known.keys());
    const message = `unknown ${what} ${quote(name.value)}${hint(suggestion)}`;
    this.#issues.error(`unknown-${what}`, name.span, message, { rule, suggestion });
  }
}

function values(names: readonly Located[] | undefined): readonly string[] | null {
  return names?.map((name) => name.value) ?? null;
}
