/** Which arguments an expression reads, as paths that people and rows hold. */
import { childrenOf, constantPath, type Expr } from "./cel/ast.ts";

/** The argument that an expression is, or is the exact decimal of: `args.amount`, `dec(args.order.total)`. */
export function plainArgument(expr: Expr): string | undefined {
  const [inner] = expr.kind === "call" && expr.name === "dec" && expr.target === null ? expr.args : [expr];
  const path = inner === undefined ? null : constantPath(inner);
  const [root, ...steps] = path ?? [];
  return root === "args" && steps.length > 0 && steps.every((step) => STEP.test(step)) ? steps.join(".") : undefined;
}

const STEP = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** The arguments that an expression rests on, `$` for all of them. More than these is harmless, less is not. */
export function argumentsRead(expr: Expr, found: Set<string> = new Set()): readonly string[] {
  const path = constantPath(expr);
  const [root, ...steps] = path ?? [];
  if (root === "args") {
    found.add(argumentText(steps));
  } else if (expr.kind === "has") {
    const asked = constantPath(expr.operand);
    if (asked === null) argumentsRead(expr.operand, found);
    else if (asked[0] === "args") found.add(argumentText([...asked.slice(1), expr.field]));
  } else for (const child of childrenOf(expr)) argumentsRead(child, found);
  return [...found].sort();
}

function argumentText(steps: readonly string[]): string {
  const end = steps.findIndex((step) => !STEP.test(step));
  return (end === -1 ? steps : steps.slice(0, end)).join(".") || "$";
}
