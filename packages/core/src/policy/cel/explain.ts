/** Which parts of a condition had which values: for people, never for the agent. */
import type { Json } from "../../value/json.ts";
import { Activation } from "./activation.ts";
import { childrenOf, type Expr } from "./ast.ts";
import { Compiler } from "./compile.ts";
import { Fault } from "./issues.ts";
import { printCel } from "./print.ts";
import type { CelVariables } from "./program.ts";
import { toJson } from "./to-json.ts";
import type { CelEnv } from "./types.ts";
import type { Outcome } from "./values.ts";

export interface ExplainedPart {
  readonly text: string;
  readonly value: Json | { readonly error: string };
}

/** More parts than a person reads, and a bound on the work. */
const MAX_PARTS = 100;

/**
 * The operands of `&&`, `||` and `!` with their values, and what they compare, in source order. Every part is evaluated on its
 * own, also where the whole condition was decided without it; all of them share one budget of steps.
 */
export function explainCel(expr: Expr, env: CelEnv, vars: CelVariables): ExplainedPart[] {
  const parts = new Map<string, Expr>();
  collect(expr, parts);
  const compiler = new Compiler(expr, env);
  const programs = [...parts].map(([text, part]) => ({ text, evaluate: compiler.compile(part) }));
  const activation = new Activation(vars, []);
  return programs.map(({ text, evaluate }) => ({ text, value: shown(() => evaluate(activation)) }));
}

function shown(evaluate: () => Outcome): ExplainedPart["value"] {
  try {
    const value = evaluate();
    return value instanceof Fault ? { error: value.message } : toJson(value);
  } catch {
    return { error: "a value that cannot be read" };
  }
}

function collect(expr: Expr, parts: Map<string, Expr>): void {
  if (parts.size >= MAX_PARTS) return;
  switch (expr.kind) {
    case "and":
    case "or":
    case "conditional":
      for (const child of childrenOf(expr)) collect(child, parts);
      return;
    case "not":
      collect(expr.operand, parts);
      return;
    case "literal":
      return;
    default:
      add(expr, parts);
      for (const operand of operandsOf(expr)) collectOperand(operand, parts);
  }
}

/** What a test looks at. A macro's body is not among it: its variable has no one value. */
function operandsOf(expr: Expr): readonly Expr[] {
  if (expr.kind === "macro") return [expr.range];
  if (expr.kind === "binary") return [expr.left, expr.right];
  return expr.kind === "call" ? childrenOf(expr) : [];
}

function collectOperand(expr: Expr, parts: Map<string, Expr>): void {
  if (expr.kind === "literal" || (expr.kind === "list" && expr.items.every((item) => item.value.kind === "literal")))
    return;
  add(expr, parts);
  for (const operand of operandsOf(expr)) collectOperand(operand, parts);
}

function add(expr: Expr, parts: Map<string, Expr>): void {
  const text = printCel(expr);
  if (parts.size < MAX_PARTS && !parts.has(text)) parts.set(text, expr);
}
