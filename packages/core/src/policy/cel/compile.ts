/**
 * Tree → closures. No code generation: each node becomes a function that calls its children's.
 *
 * What is known at load is decided at load: paths, constants, overloads, and whether a value comes from `args`, `context` or `run`.
 */
import type { Activation } from "./activation.ts";
import { negate } from "./arithmetic.ts";
import { childrenOf, constantPath, type Expr, type Unary } from "./ast.ts";
import { inferTypes } from "./check.ts";
import { compileBinary } from "./compile-binary.ts";
import { compileCall } from "./compile-call.ts";
import { compileList, compileMap } from "./compile-literals.ts";
import { compileLogical, required } from "./compile-logical.ts";
import { compileMacro } from "./compile-macro.ts";
import { compileHas, compileIdentifier, compileIndex, compileSelect } from "./compile-path.ts";
import { Fault } from "./issues.ts";
import { type CelEnv, type CelType, DYN, TYPE_NAMES } from "./types.ts";
import { CelTypeValue, type CelValue, type Outcome } from "./values.ts";

export type Evaluate = (activation: Activation) => Outcome;

/** A macro variable in force. */
export interface Local {
  readonly name: string;
  readonly slot: number;
  /** True where it is bound to what comes from `args`, `context` or `run`. */
  readonly strict: boolean;
}

/** What came from outside, and is compared strictly. */
const OUTSIDE: ReadonlySet<string> = new Set(["args", "context", "run"]);

export class Compiler {
  readonly env: CelEnv;
  /** Slots that an activation needs. */
  slots = 0;
  private readonly types: ReadonlyMap<Expr, CelType>;
  private readonly locals: Local[] = [];

  constructor(expr: Expr, env: CelEnv) {
    this.env = env;
    this.types = inferTypes(expr, env);
  }

  typeOf(expr: Expr): CelType {
    return this.types.get(expr) ?? DYN;
  }

  local(name: string): Local | undefined {
    return this.locals.findLast((local) => local.name === name);
  }

  isVariable(name: string): boolean {
    return this.local(name) !== undefined || Object.hasOwn(this.env.variables, name);
  }

  /** Runs `body` with a macro variable in force. */
  withLocal<Result>(name: string, strict: boolean, body: (slot: number) => Result): Result {
    const slot = this.locals.length;
    this.locals.push({ name, slot, strict });
    this.slots = Math.max(this.slots, slot + 1);
    try {
      return body(slot);
    } finally {
      this.locals.pop();
    }
  }

  /** True where any part of the value comes from `args`, `context` or `run`, also by way of a macro variable or a function. */
  isStrict(expr: Expr): boolean {
    if (expr.kind === "identifier") {
      const local = expr.absolute ? undefined : this.local(expr.name);
      return local === undefined ? OUTSIDE.has(expr.name) : local.strict;
    }
    if (expr.kind !== "macro") return childrenOf(expr).some((child) => this.isStrict(child));
    const range = this.isStrict(expr.range);
    return range || this.withLocal(expr.variable, range, () => childrenOf(expr).some((child) => this.isStrict(child)));
  }

  compile(expr: Expr): Evaluate {
    switch (expr.kind) {
      case "literal":
        return constant(expr.value);
      case "identifier":
        return typeNameOf(expr, this) ?? compileIdentifier(expr, this);
      case "select":
        return typeNameOf(expr, this) ?? compileSelect(expr, this);
      case "has":
        return compileHas(expr, this);
      case "index":
        return compileIndex(expr, this);
      case "call":
        return compileCall(expr, this);
      case "not":
        return compileNot(expr, this);
      case "negate":
        return compileNegate(expr, this);
      case "and":
      case "or":
        return compileLogical(expr, this);
      case "binary":
        return compileBinary(expr, this);
      case "conditional":
        return compileConditional(expr, this);
      case "list":
        return compileList(expr, this);
      case "map":
        return compileMap(expr, this);
      case "macro":
        return compileMacro(expr, this);
    }
  }
}

function constant(value: CelValue): Evaluate {
  return () => value;
}

function typeNameOf(expr: Expr, compiler: Compiler): Evaluate | null {
  const path = constantPath(expr);
  const [root] = path ?? [];
  if (path === null || root === undefined || compiler.isVariable(root)) return null;
  const name = TYPE_NAMES.get(path.join("."));
  return name === undefined ? null : constant(new CelTypeValue(name));
}

function compileNot(expr: Unary, compiler: Compiler): Evaluate {
  const operand = compiler.compile(expr.operand);
  return (activation) => {
    const value = operand(activation);
    if (value === true) return false;
    return value === false ? true : required(value, "!", expr.operand.start);
  };
}

function compileNegate(expr: Unary, compiler: Compiler): Evaluate {
  const operand = compiler.compile(expr.operand);
  return (activation) => {
    const value = operand(activation);
    return value instanceof Fault ? value : negate(value, expr.start);
  };
}

function compileConditional(expr: Extract<Expr, { kind: "conditional" }>, compiler: Compiler): Evaluate {
  const condition = compiler.compile(expr.condition);
  const whenTrue = compiler.compile(expr.then);
  const whenFalse = compiler.compile(expr.else);
  return (activation) => {
    const value = condition(activation);
    if (value === true) return whenTrue(activation);
    return value === false ? whenFalse(activation) : required(value, "? :", expr.condition.start);
  };
}
