/** Trees → one checked model, or every issue of every file. A set that is not whole is not there at all. */

import { checkBinds, checkBindTypes } from "./bind-check.ts";
import type { Expr } from "./cel/ast.ts";
import type { CelEnv, Zones } from "./cel/types.ts";
import { checkChanges } from "./change/check.ts";
import { checkChangeConflicts } from "./change/conflicts.ts";
import { ArgumentChecker } from "./check-arguments.ts";
import { ScopeChecker } from "./check-scope.ts";
import { checkTest } from "./check-tests.ts";
import { Conditions, celEnv, RESERVED_NAMES, resolveDefinitions, withHistory } from "./condition.ts";
import { POLICY_FORMAT, type RouteSource, type RuleSource } from "./format.ts";
import { isGlob } from "./glob.ts";
import { Issues, type PolicyIssue, quote } from "./issue.ts";
import { declaredKeeping } from "./keeping.ts";
import { checkBudgets } from "./limits/check-budgets.ts";
import { checkDetectors } from "./limits/check-detectors.ts";
import { declaredTraits } from "./limits/traits.ts";
import { mergeConstants, mergeContext, mergeEnvironments, mergeRoutes, mergeTools, section, unique } from "./merge.ts";
import type { EnvironmentModel, PolicyDocument, PolicyModel, RuleModel, ToolModel } from "./model.ts";
import { fold } from "./nearest.ts";
import { readShape } from "./read.ts";
import { checkRoutes, termsOf } from "./routes.ts";
import { declaredSchema, frameworkTools, type SchemaSources } from "./tool-schemas.ts";
import { ToolTable } from "./tool-table.ts";
import type { PolicyTree } from "./tree.ts";
import { checkUnits, declaredUnits } from "./units.ts";

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
  const { tools, routes, let: constants, define, context, tests, budgets, breakers } = source;
  const shared = [tools, routes, constants, define, context, tests, budgets, breakers];
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
  const { definitions, texts, failed } = checkDefinitions(documents, withHistory(env), issues);
  // What a call is bound to, changed to and booked as does not depend on the calls before it.
  const plainEnv = withVariables(env, failed);
  const ruleEnv = withHistory(plainEnv);
  const tools = mergeTools(
    documents,
    (tool, source, span) => {
      const schema = source.schema === undefined ? null : declaredSchema(tool, source.schema, span, options, issues);
      return {
        schema,
        binds: source.bind === undefined ? [] : checkBinds(source.bind, { env: plainEnv, definitions }, issues),
        traits: declaredTraits(tool, source, issues),
        keeping: declaredKeeping(tool, source, schema, issues),
        units: declaredUnits(tool, source, { env: plainEnv, definitions }, issues),
      };
    },
    issues,
  );
  const framework = checkFramework(documents, tools, options, issues);
  const table = new ToolTable(tools, framework);
  checkAllBinds(tools, table, issues);
  checkRoutes(routes, issues);
  const around = {
    routes,
    env: plainEnv,
    definitions,
    scopes: new ScopeChecker(
      { environments, tools: table, known: options.knownTools ?? [], whole: options.whole ?? true },
      issues,
    ),
    conditions: new Conditions(ruleEnv, definitions, issues),
    arguments: new ArgumentChecker(table, ruleEnv, issues),
  };
  checkUnits(tools, table, around.arguments, issues);
  const checker = new RuleChecker(around, issues);
  const rules = documents.flatMap(({ source }) => (source.rules ?? []).flatMap((rule) => checker.check(rule) ?? []));
  checkIds("rule", rules, issues);
  const conditions = new Conditions(plainEnv, definitions, issues);
  const budgets = checkBudgets(documents, { ...around, conditions }, issues);
  checkIds("budget", budgets, issues);
  const detectors = checkDetectors(documents, around.scopes, issues);
  checkChangeConflicts(rules, issues);
  if (options.whole !== false) {
    checkEnvironments(documents, environments, issues);
    for (const test of documents.flatMap(({ source }) => source.tests ?? [])) checkTest(test, environments, issues);
  }
  const approval = termsOf(undefined, "", routes, issues);
  const named = { constants, definitions: texts, context };
  return { documents, environments, tools, framework, ...named, rules, budgets, detectors, approval, env: ruleEnv };
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
  return { definitions, texts, failed: Object.fromEntries(failed) };
}

function withVariables(env: CelEnv, more: CelEnv["variables"]): CelEnv {
  return { ...env, variables: { ...env.variables, ...more } };
}

/** Ids are unique over all files; two that differ only in case would be read as one by people. */
function checkIds(what: string, rules: readonly Pick<RuleModel, "id" | "span">[], issues: Issues): void {
  const ids = new Map<string, Pick<RuleModel, "id" | "span">>();
  for (const rule of rules) {
    const twin = ids.get(fold(rule.id));
    if (twin !== undefined) {
      const place = `${twin.span.file}:${twin.span.line}:${twin.span.column}`;
      issues.error("duplicate-id", rule.span, `${what} ${quote(rule.id)} is already at ${place}`, { rule: rule.id });
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
  readonly routes: ReadonlyMap<string, RouteSource>;
  readonly env: CelEnv;
  readonly definitions: ReadonlyMap<string, Expr>;
  readonly scopes: ScopeChecker;
  readonly conditions: Conditions;
  readonly arguments: ArgumentChecker;
}

class RuleChecker {
  readonly #around: RuleSurroundings;
  readonly #issues: Issues;

  constructor(around: RuleSurroundings, issues: Issues) {
    this.#around = around;
    this.#issues = issues;
  }

  /** Undefined where the rule's own id is missing; otherwise complete only if no error was added. */
  check(source: RuleSource): RuleModel | undefined {
    // Keys that did not read were reported; what is required may still be absent here.
    const { id, then }: Partial<RuleSource> = source;
    const rule = id?.value ?? "";
    const scope = this.#scope(source, rule);
    const condition = source.when === undefined ? null : this.#around.conditions.check(source.when, rule);
    if (id === undefined || then === undefined) return undefined;
    this.#keys(source, rule);
    const otherwise = source.else ?? null;
    const asks = then === "allow" && source.approval !== undefined && otherwise !== "pause";
    const pauses = then === "pause" || otherwise === "pause" || asks;
    const checked: RuleModel = {
      id: rule,
      span: id.span,
      scope,
      condition,
      verdict: then,
      otherwise,
      approval: pauses ? termsOf(source.approval, rule, this.#around.routes, this.#issues) : null,
      asks,
      reason: source.reason ?? null,
      fix: source.fix ?? null,
      observe: source.mode === "observe",
      changes: this.#changes(source, rule),
    };
    this.#around.arguments.check(checked, source.when);
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

  #scope(source: RuleSource, rule: string): RuleModel["scope"] {
    if (source.tool === undefined && source.kind === undefined && source.label === undefined) {
      const message = `rule ${quote(rule)} needs at least one of \`tool\`, \`kind\`, \`label\``;
      this.#issues.error("missing-key", source.span, message, { rule });
    }
    return this.#around.scopes.check(source, { rule });
  }
}
