/** Tree → text, in one form: what is shown to people, and what parses back to the same tree. */
import type { Expr } from "./ast.ts";
import { type CelValue, Double, Uint } from "./values.ts";

/** How tightly a node binds; an operand that binds less gets parentheses. */
const CONDITIONAL = 1;
const OR = 2;
const AND = 3;
const RELATION = 4;
const SUM = 5;
const PRODUCT = 6;
const UNARY = 7;
const MEMBER = 8;

export function printCel(expr: Expr): string {
  switch (expr.kind) {
    case "literal":
      return printLiteral(expr.value);
    case "identifier":
      return expr.absolute ? `.${expr.name}` : expr.name;
    case "select":
      return `${within(expr.operand, MEMBER)}.${expr.optional ? "?" : ""}${printField(expr.field)}`;
    case "has":
      return `has(${within(expr.operand, MEMBER)}.${printField(expr.field)})`;
    case "index":
      return `${within(expr.operand, MEMBER)}[${expr.optional ? "?" : ""}${printCel(expr.index)}]`;
    case "call": {
      const args = expr.args.map(printCel).join(", ");
      return expr.target === null ? `${expr.name}(${args})` : `${within(expr.target, MEMBER)}.${expr.name}(${args})`;
    }
    case "not":
      return printNot(expr.operand);
    case "negate":
      return printNegate(expr.operand);
    case "and":
      return expr.operands.map((operand) => within(operand, AND + 1)).join(" && ");
    case "or":
      return expr.operands.map((operand) => within(operand, OR + 1)).join(" || ");
    case "binary": {
      const level = levelOf(expr);
      return `${within(expr.left, level)} ${expr.operator} ${within(expr.right, level + 1)}`;
    }
    case "conditional":
      return `${within(expr.condition, OR)} ? ${within(expr.then, OR)} : ${printCel(expr.else)}`;
    case "list":
      return `[${expr.items.map((item) => `${item.optional ? "?" : ""}${printCel(item.value)}`).join(", ")}]`;
    case "map": {
      const entries = expr.entries.map(
        (entry) => `${entry.optional ? "?" : ""}${printCel(entry.key)}: ${printCel(entry.value)}`,
      );
      return `{${entries.join(", ")}}`;
    }
    case "macro": {
      const where = expr.where === null ? "" : `${printCel(expr.where)}, `;
      return `${within(expr.range, MEMBER)}.${expr.macro}(${expr.variable}, ${where}${printCel(expr.body)})`;
    }
  }
}

function within(expr: Expr, level: number): string {
  const text = printCel(expr);
  return levelOf(expr) < level ? `(${text})` : text;
}

function levelOf(expr: Expr): number {
  switch (expr.kind) {
    case "conditional":
      return CONDITIONAL;
    case "or":
      return OR;
    case "and":
      return AND;
    case "binary":
      if (expr.operator === "+" || expr.operator === "-") return SUM;
      return expr.operator === "*" || expr.operator === "/" || expr.operator === "%" ? PRODUCT : RELATION;
    case "not":
    case "negate":
      return UNARY;
    default:
      return MEMBER;
  }
}

/** A minus before a number would become part of it, and before another operator is not in the grammar. */
function printNegate(operand: Expr): string {
  const text = within(operand, MEMBER);
  return /^[0-9.]/.test(text) || operand.kind === "not" ? `-(${printCel(operand)})` : `-${text}`;
}

function printNot(operand: Expr): string {
  const text = within(operand, UNARY);
  return text.startsWith("-") ? `!(${text})` : `!${text}`;
}

function printField(field: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(field) && !["true", "false", "null", "in"].includes(field)
    ? field
    : `\`${field}\``;
}

function printLiteral(value: CelValue): string {
  if (typeof value === "string") return printText(value);
  if (value instanceof Uint8Array) {
    return `b"${Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
  }
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Double) return printDouble(value.value);
  return String(value);
}

function printDouble(value: number): string {
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function printText(text: string): string {
  // What a reader would not see is written out.
  const escaped = text.replace(
    /[\\"\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => {
      if (character === "\\" || character === '"') return `\\${character}`;
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    },
  );
  return `"${escaped}"`;
}
