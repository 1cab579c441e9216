/** The types that operators take and give. */
import type { Binary } from "./ast.ts";
import type { Checker } from "./check.ts";
import {
  BOOL,
  type CelType,
  comparisonKind,
  DECIMAL,
  DOUBLE,
  DURATION,
  DYN,
  join,
  type Kind,
  kindOfType,
  TIMESTAMP,
  withArticle,
} from "./types.ts";

const ORDERED: ReadonlySet<string> = new Set(["bool", "number", "string", "bytes", "timestamp", "duration", "decimal"]);
/** What a decimal is compared and calculated with. */
const EXACT: ReadonlySet<Kind> = new Set(["decimal", "int", "uint"]);

export function checkBinary(expr: Binary, checker: Checker): CelType {
  const left = checker.visit(expr.left);
  const right = checker.visit(expr.right);
  switch (expr.operator) {
    case "==":
    case "!=":
      if (!comparable(left, right)) report(expr, left, right, checker);
      return BOOL;
    case "in":
      checkIn(expr, left, right, checker);
      return BOOL;
    case "<":
    case "<=":
    case ">":
    case ">=":
      checkOrder(expr, left, right, checker);
      return BOOL;
    default:
      return arithmeticType(expr, left, right, checker);
  }
}

/** Kinds that can be equal: the same, both numbers, or one of them null or unknown. */
function comparable(left: CelType, right: CelType): boolean {
  const a = kindOfType(left);
  const b = kindOfType(right);
  if (a === null || b === null || a === "null" || b === "null") return true;
  if (a === "decimal" || b === "decimal") return EXACT.has(a) && EXACT.has(b);
  return comparisonKind(a) === comparisonKind(b);
}

function checkIn(expr: Binary, left: CelType, right: CelType, checker: Checker): void {
  const kind = kindOfType(right);
  if (kind !== null && kind !== "list" && kind !== "map") {
    const message = `\`in\` needs a list or a map on its right, not ${withArticle(kind)}`;
    checker.report(
      expr.right,
      "wrong-type",
      kind === "string" ? `${message}: for a part of a text write \`text.contains(part)\`` : message,
    );
  } else if (right.kind === "list" && !comparable(left, right.item)) {
    report(expr, left, right.item, checker);
  }
}

function checkOrder(expr: Binary, left: CelType, right: CelType, checker: Checker): void {
  const a = kindOfType(left);
  const b = kindOfType(right);
  const same = a === null || b === null || comparisonKind(a) === comparisonKind(b);
  if (!same && !(a !== null && b !== null && EXACT.has(a) && EXACT.has(b))) {
    report(expr, left, right, checker);
    return;
  }
  const kind = a ?? b;
  if (kind !== null && !ORDERED.has(comparisonKind(kind))) {
    checker.report(expr, "wrong-type", `\`${expr.operator}\` has no meaning for ${withArticle(kind)}`);
  }
}

function arithmeticType(expr: Binary, left: CelType, right: CelType, checker: Checker): CelType {
  const a = kindOfType(left);
  const b = kindOfType(right);
  if (a === null || b === null) return DYN;
  if (left.kind === "list" && right.kind === "list" && expr.operator === "+") return join(left, right);
  const result = resultKind(expr.operator, a, b);
  if (result === null) {
    report(expr, left, right, checker);
    return DYN;
  }
  return result;
}

function resultKind(operator: string, a: Kind, b: Kind): CelType | null {
  if ((a === "decimal" || b === "decimal") && EXACT.has(a) && EXACT.has(b)) {
    return operator === "/" || operator === "%" ? null : DECIMAL;
  }
  const mixed = (a === "int" || a === "double") && (b === "int" || b === "double");
  if (a !== b && mixed) return operator === "%" ? null : DOUBLE;
  if (a === b && (a === "int" || a === "uint")) return { kind: a };
  if (a === "double" && b === "double") return operator === "%" ? null : DOUBLE;
  if (operator === "+") {
    if (a === b && (a === "string" || a === "bytes" || a === "duration")) return { kind: a };
    if ((a === "timestamp" && b === "duration") || (a === "duration" && b === "timestamp")) return TIMESTAMP;
  }
  if (operator === "-") {
    if (a === b && (a === "timestamp" || a === "duration")) return DURATION;
    if (a === "timestamp" && b === "duration") return TIMESTAMP;
  }
  return null;
}

function report(expr: Binary, left: CelType, right: CelType, checker: Checker): void {
  const kinds = `${withArticle(left.kind)} and ${withArticle(right.kind)}`;
  checker.report(
    expr,
    "wrong-type",
    `\`${expr.operator}\` between ${kinds}: convert one of them, such as \`string(…)\` or \`int(…)\``,
  );
}
