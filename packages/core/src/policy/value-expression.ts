/** Expressions that give a value instead of true or false: what is bound, what a change writes. */
import { childrenOf, type Expr } from "./cel/ast.ts";
import type { CelEnv, CelType } from "./cel/types.ts";
import { checkExpression, parseExpression, RUN_FACTS } from "./condition.ts";
import { type IssueDetails, type Issues, quote } from "./issue.ts";
import type { ExpressionModel } from "./model.ts";
import type { Located } from "./shape.ts";

export interface ExpressionScope {
  readonly env: CelEnv;
  readonly definitions: ReadonlyMap<string, Expr>;
}

/** Null with the issues said. */
export function checkValue(
  source: Located,
  scope: ExpressionScope,
  issues: Issues,
  details: IssueDetails,
): ExpressionModel | null {
  if (source.node.opaque !== undefined) {
    issues.error("bad-value", source.span, "a function cannot give a value here; write an expression", details);
    return null;
  }
  const parsed = parseExpression(source, issues, details);
  if (parsed === undefined) return null;
  const checked = checkExpression(source, parsed, scope, issues, details);
  if (checked === undefined) return null;
  const { expr, type, reads } = checked;
  if (UNSENDABLE.has(type.kind)) {
    issues.error(
      "wrong-type",
      source.span,
      `${quote(source.value)} gives a ${type.kind}, which no argument holds`,
      details,
    );
    return null;
  }
  return { text: source.value, expr, type, reads };
}

const UNSENDABLE: ReadonlySet<string> = new Set(["bytes", "type", "uint"]);

/** Could a value of one type stand where the other is expected? Only what is surely wrong is refused. */
export function mayBe(expected: CelType, actual: CelType): boolean {
  if (expected.kind === "dyn" || actual.kind === "dyn") return true;
  if (expected.kind === "double") return actual.kind === "double" || actual.kind === "int";
  const map = (kind: string) => (kind === "object" ? "map" : kind);
  // Times and exact numbers are sent as text.
  if (expected.kind === "string") return ["string", "timestamp", "duration", "decimal"].includes(actual.kind);
  return map(expected.kind) === map(actual.kind);
}

/**
 * Every name that an expression mentions, those of its macro variables too. `run` is one of them where more of it may be read
 * than `RUN_FACTS`, which need no looking up.
 */
export function namesIn(expr: Expr, names: Set<string> = new Set()): ReadonlySet<string> {
  if (isRunFact(expr)) return names;
  if (expr.kind === "identifier") names.add(expr.name);
  for (const child of childrenOf(expr)) namesIn(child, names);
  return names;
}

function isRunFact(expr: Expr): boolean {
  if (expr.kind !== "select" && expr.kind !== "has") return false;
  return expr.operand.kind === "identifier" && expr.operand.name === "run" && RUN_FACTS.has(expr.field);
}
