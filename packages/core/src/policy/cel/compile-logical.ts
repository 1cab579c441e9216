/** `&&` and `||`: a side that decides absorbs the other side's error, whichever comes first. */
import type { Logical } from "./ast.ts";
import type { Compiler, Evaluate } from "./compile.ts";
import { Fault } from "./issues.ts";
import { withArticle } from "./types.ts";
import { kindOf, type Outcome } from "./values.ts";

/** The error for a value that stands where true or false must. */
export function required(value: Outcome, operator: string, offset: number): Fault {
  if (value instanceof Fault) return value;
  const message = `\`${operator}\` needs true or false, not ${withArticle(kindOf(value))}: compare it, as in \`args.amount > 0\``;
  return new Fault(message, offset);
}

export function compileLogical(expr: Logical, compiler: Compiler): Evaluate {
  const operands = expr.operands.map((operand) => compiler.compile(operand));
  const offsets = expr.operands.map((operand) => operand.start);
  /** The value of one side that decides, and what is left when none does. */
  const decides = expr.kind === "or";
  const operator = decides ? "||" : "&&";
  const [left, right] = operands;
  if (operands.length === 2 && left !== undefined && right !== undefined) {
    const [leftOffset = 0, rightOffset = 0] = offsets;
    return (activation) => {
      const a = left(activation);
      if (a === decides) return decides;
      const b = right(activation);
      if (b === decides) return decides;
      if (typeof a !== "boolean") return required(a, operator, leftOffset);
      return typeof b === "boolean" ? b : required(b, operator, rightOffset);
    };
  }
  return (activation) => {
    let fault: Fault | null = null;
    for (let index = 0; index < operands.length; index++) {
      const value = operands[index]?.(activation);
      if (value === decides) return decides;
      if (typeof value !== "boolean") fault ??= required(value ?? null, operator, offsets[index] ?? 0);
    }
    return fault ?? !decides;
  };
}
