/**
 * Expressions under construction: objects whose fields and methods are nodes of the CEL tree.
 *
 * One kind of object stands for every expression. A field that is called is a method, any other use makes it a field, so that no
 * argument's name can collide with a method's. Every node that was made and used nowhere is known when a callback ends: it is
 * what `a && b` leaves behind.
 */
import { type CelExpr, type CelMacro, type CelOperator, celChildren, parseCel } from "@saferun/core";
import { BuildError, PlainUse, type Problem } from "./build-error.ts";
import type { AnyExpr } from "./expressions.ts";
import { AT, literal } from "./literal.ts";

/** One callback while it runs. */
class Session {
  /** Made and not used yet, oldest first. */
  readonly unused = new Set<CelExpr>();
  /** Something was built that a function on plain values could not have called. */
  builds = false;
}

/** Building is synchronous: the callback that runs now, if any. */
let session: Session | undefined;
/** Macro variables in force. */
const variables: string[] = [];

const made = new WeakMap<object, CelExpr>();
/** What stands for a piece of CEL that does not parse, and why it does not. */
const broken = new WeakMap<CelExpr, readonly Problem[]>();

export function isExpression(value: unknown): value is object {
  return ((typeof value === "object" && value !== null) || typeof value === "function") && made.has(value);
}

/** Runs `callback` and says what it left behind. Throws what it throws. */
export function building<Result>(callback: () => Result): {
  result: Result | undefined;
  thrown: unknown;
  left: Session;
} {
  const outer = session;
  const left = new Session();
  session = left;
  try {
    return { result: callback(), thrown: undefined, left };
  } catch (thrown) {
    return { result: undefined, thrown: thrown ?? new Error("nothing"), left };
  } finally {
    session = outer;
  }
}

/** The tree of an expression, which thereby is used. */
export function exprOf(value: object): CelExpr {
  const expr = made.get(value);
  if (expr === undefined) throw new BuildError("wrong-type", "this is no expression");
  session?.unused.delete(expr);
  return expr;
}

/** Why pieces of CEL in the tree do not parse. */
export function problemsIn(expr: CelExpr): readonly Problem[] {
  return [...(broken.get(expr) ?? []), ...celChildren(expr).flatMap(problemsIn)];
}

function expression(expr: CelExpr, tracked = true): object {
  return register(new Node(expr), tracked);
}

/**
 * A piece of CEL as it would stand in a file.
 * A piece that does not parse is an error of the rule that uses it.
 */
export function cel(text: string): AnyExpr {
  const parsed = parseCel(String(text));
  const expr: CelExpr = parsed.ok ? parsed.expr : { kind: "literal", value: false, ...AT };
  if (!parsed.ok) broken.set(expr, parsed.issues);
  return expression(expr) as AnyExpr;
}

export function variable(name: string): object {
  return expression(identifier(name), false);
}

/** Where a macro's own variable has the same name, only the absolute form reads the one outside. */
export function named(name: string): object {
  return expression({ ...identifier(name), absolute: variables.includes(name) });
}

/** `name(…)`. */
export function call(name: string, args: readonly unknown[]): object {
  if (session !== undefined) session.builds = true;
  return expression({ kind: "call", target: null, name: String(name), nameStart: 0, args: args.map(operand), ...AT });
}

export function has(field: object): object {
  if (session !== undefined) session.builds = true;
  const expr = exprOf(field);
  if (expr.kind !== "select") throw new BuildError("syntax", "`has` takes one field: `has(args.amount)`");
  return expression({ kind: "has", operand: expr.operand, field: expr.field, ...AT });
}

function identifier(name: string) {
  return { kind: "identifier", name: String(name), absolute: false, ...AT } as const;
}

function plainUse(): never {
  throw new PlainUse("an expression is no value");
}

/** A function, because only those can be called as methods. Nothing ever reaches it. */
const TARGET = () => undefined;

/** What an expression does when JavaScript touches it. */
class Node implements ProxyHandler<object> {
  readonly expr: CelExpr;
  /** Set where it was reached by a dot: called, it is a method. */
  readonly of: CelExpr | undefined;
  readonly key: string;

  constructor(expr: CelExpr, of?: CelExpr, key = "") {
    this.expr = expr;
    this.of = of;
    this.key = key;
  }

  get(_target: object, key: string | symbol): unknown {
    if (key === Symbol.toPrimitive) return plainUse;
    if (typeof key === "symbol") return undefined;
    session?.unused.delete(this.expr);
    return register(new Node(fieldOf(this.expr, key), this.expr, key), true);
  }

  apply(_target: object, _this: unknown, args: readonly unknown[]): object {
    const { of, key } = this;
    if (of === undefined) throw new BuildError("wrong-type", "an expression is no function");
    session?.unused.delete(this.expr);
    if (session !== undefined && !PLAIN_METHODS.has(key)) session.builds = true;
    return expression(methodOf(of, key, args));
  }

  has = plainUse;
  ownKeys = plainUse;
  getOwnPropertyDescriptor = plainUse;
  set = plainUse;
  defineProperty = plainUse;
  deleteProperty = plainUse;
}

/** `tracked`: it must become part of the result. */
function register(node: Node, tracked: boolean): object {
  const proxy = new Proxy<object>(TARGET, node);
  made.set(proxy, node.expr);
  if (tracked) session?.unused.add(node.expr);
  return proxy;
}

/** Methods that a function on plain values may call as well. */
const PLAIN_METHODS: ReadonlySet<string> = new Set(
  [String.prototype, Array.prototype, Object.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype)),
);

/** What can stand behind a dot, in backticks where it must; other keys are indexes. */
const FIELD = /^[A-Za-z0-9_.\-/ ]+$/;

function fieldOf(operand: CelExpr, field: string): CelExpr {
  return FIELD.test(field)
    ? { kind: "select", operand, field, optional: false, ...AT }
    : { kind: "index", operand, index: { kind: "literal", value: field, ...AT }, optional: false, ...AT };
}

const OPERATORS: Readonly<Record<string, CelOperator>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  in: "in",
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
};

const MACROS: Readonly<Record<string, CelMacro>> = {
  all: "all",
  exists: "exists",
  existsOne: "exists_one",
  filter: "filter",
  map: "map",
};

/** Names that are no method of the language's own are passed on: the checker knows them, or the nearest one. */
function methodOf(self: CelExpr, name: string, args: readonly unknown[]): CelExpr {
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (operator !== undefined) return binary(operator, self, operand(only(name, args)));
  const macro = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined;
  if (macro !== undefined) return macroOf(macro, self, only(name, args));
  switch (name) {
    case "and":
    case "or":
      return chain(name, [self, ...args.map(operandOfLogic)]);
    case "not":
      return { kind: "not", operand: self, ...AT };
    case "neg":
      return { kind: "negate", operand: self, ...AT };
    case "includes":
      return binary("in", operand(only(name, args)), self);
    case "get":
    case "at":
      return { kind: "index", operand: self, index: operand(only(name, args)), optional: false, ...AT };
    case "field":
      return fieldOf(self, String(only(name, args)));
    case "orValue":
      return orValue(self, operand(only(name, args)));
    default: {
      const operands = args.map((argument) => operand(name === "matches" ? patternOf(argument) : argument));
      return { kind: "call", target: self, name, nameStart: 0, args: operands, ...AT };
    }
  }
}

function only(name: string, args: readonly unknown[]): unknown {
  if (args.length !== 1)
    throw new BuildError("wrong-type", `\`${name}\` takes one value, and was given ${args.length}`);
  return args[0];
}

function binary(operator: CelOperator, left: CelExpr, right: CelExpr): CelExpr {
  return { kind: "binary", operator, left, right, ...AT };
}

function chain(kind: "and" | "or", operands: readonly CelExpr[]): CelExpr {
  const flat = operands.flatMap((one) => (one.kind === kind ? one.operands : [one]));
  return flat.length === 1 && flat[0] !== undefined ? flat[0] : { kind, operands: flat, ...AT };
}

/** A plain `true` or `false` here is what JavaScript's own `===` or `!` left of a condition. */
function operandOfLogic(value: unknown): CelExpr {
  if (isExpression(value)) return exprOf(value);
  throw new BuildError("not-a-condition", "`and` and `or` join conditions, and were given a plain value");
}

/** Only a field can be absent. */
function orValue(self: CelExpr, otherwise: CelExpr): CelExpr {
  const target: CelExpr = self.kind === "select" || self.kind === "index" ? { ...self, optional: true } : self;
  return { kind: "call", target, name: "orValue", nameStart: 0, args: [otherwise], ...AT };
}

function patternOf(pattern: unknown): unknown {
  if (!(pattern instanceof RegExp)) return pattern;
  if (pattern.flags === "") return pattern.source;
  throw new BuildError("invalid-pattern", `the pattern has flags; write \`(?${pattern.flags})\` into it`);
}

/** `item`, and `item2` inside of it: the name that the same rule has in a file. */
function macroOf(macro: CelMacro, range: CelExpr, body: unknown): CelExpr {
  if (typeof body !== "function" || made.has(body)) {
    throw new BuildError("wrong-type", `\`${macro}\` takes a function, as in \`${macro}((item) => …)\``);
  }
  const name = variables.length === 0 ? "item" : `item${variables.length + 1}`;
  variables.push(name);
  try {
    const result: unknown = body(variable(name));
    return { kind: "macro", macro, range, variable: name, where: null, body: operand(result), ...AT };
  } finally {
    variables.pop();
  }
}

/** A value known now, or an expression. */
function operand(value: unknown): CelExpr {
  return isExpression(value) ? exprOf(value) : literal(value, operand);
}
