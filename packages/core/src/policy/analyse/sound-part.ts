/** The rules of a model that were checked without an error: what was not understood must not be reasoned about. */
import type { Span } from "../../decision.ts";
import { childrenOf, type Expr } from "../cel/ast.ts";
import type { RuleSource } from "../format.ts";
import { compareText, type PolicyIssue } from "../issue.ts";
import type { PolicyDocument, PolicyModel, RuleModel } from "../model.ts";

export function soundPart(model: PolicyModel, issues: readonly PolicyIssue[]): PolicyModel {
  const errors = issues.filter(({ severity }) => severity === "error");
  const environments = model.environments.size > 0 ? model.environments : STRICT;
  if (errors.length === 0 && environments === model.environments) return model;
  const named = new Set(errors.map(({ rule }) => rule));
  const broken = brokenStarts(model.documents, errors);
  const rules = model.rules.filter(
    (rule) => !named.has(rule.id) && !broken.has(placeOf(rule.span)) && !usesAny(rule, model.definitions),
  );
  const budgets = model.budgets.filter(({ id }) => !named.has(`budget:${id}`));
  return { ...model, environments, rules, budgets };
}

/** Without any declared environment everything is denied; the examples then speak of `prod`. */
const STRICT: PolicyModel["environments"] = new Map([
  [
    "prod",
    {
      name: "prod",
      span: { file: "", line: 1, column: 1 },
      unmatched: { read: "deny", none: "deny", write: "deny", destructive: "deny" },
      observe: false,
      record: "full",
      seal: null,
    },
  ],
]);

function placeOf({ file, line, column }: Span): string {
  return `${file}:${line}:${column}`;
}

/** Places of the ids of rules in whose text an error stands: also one that names no rule, such as an unknown key. */
function brokenStarts(documents: readonly PolicyDocument[], errors: readonly PolicyIssue[]): ReadonlySet<string> {
  const broken = new Set<string>();
  for (const { file, source } of documents) {
    const own = errors.filter((error) => error.file === file);
    if (own.length === 0) continue;
    const { environments = [], routes = [], context = [], define = [], tools = [], tests = [] } = source;
    const others: readonly { readonly span: Span }[] = [
      ...[...environments, ...routes, ...context, ...define, ...tools, ...tests],
      ...(source.let ?? []),
      ...(source.budgets ?? []),
      ...(source.breakers ?? []),
    ];
    const pieces: { readonly span: Span; readonly id?: Span }[] = [
      ...others.map(({ span }) => ({ span })),
      ...(source.rules ?? []).map(piece),
    ];
    pieces.sort((a, b) => compareSpans(a.span, b.span));
    for (const error of own) {
      const within = pieces.findLast(({ span }) => compareSpans(span, error) <= 0);
      if (within?.id !== undefined) broken.add(placeOf(within.id));
    }
  }
  return broken;
}

/** A rule without an id has no place in the model either. */
function piece({ span, id }: Partial<RuleSource> & { readonly span: Span }) {
  return id === undefined ? { span } : { span, id: id.span };
}

function compareSpans(a: Span, b: Span): number {
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column;
}

/** A name of `define` that is still there was not replaced, because its own text has an error. */
function usesAny(rule: RuleModel, definitions: ReadonlyMap<string, string>): boolean {
  return definitions.size > 0 && rule.condition !== null && mentions(rule.condition.expr, definitions);
}

function mentions(expr: Expr, names: ReadonlyMap<string, string>): boolean {
  return (
    (expr.kind === "identifier" && names.has(expr.name)) || childrenOf(expr).some((child) => mentions(child, names))
  );
}
