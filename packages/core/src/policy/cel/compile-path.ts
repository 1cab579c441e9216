/** Reading: variables, members, items. Own properties only; what is not there is an error that names the path. */
import { constantPath, type Expr, fieldOf } from "./ast.ts";
import { entryOf } from "./compare.ts";
import type { Compiler, Evaluate } from "./compile.ts";
import { Fault } from "./issues.ts";
import { type CelType, withArticle } from "./types.ts";
import {
  adopt,
  adoptDouble,
  adoptUint,
  CelOptional,
  type CelRecord,
  type CelValue,
  isList,
  isMap,
  kindOf,
  NO_FIELDS,
  NONE,
  numberOf,
  type Outcome,
  ownField,
} from "./values.ts";

export type Adopt = (value: unknown, offset: number) => Outcome;

/** How a value of this static type is taken over from outside. */
export function adopterOf(type: CelType): Adopt {
  if (type.kind === "double") return adoptDouble;
  return type.kind === "uint" ? adoptUint : adopt;
}

/** `args.items[0]` as text for messages, clipped; `value` for what has no name. */
function nameOf(expr: Expr): string {
  return constantPath(expr)?.join(".").slice(0, 80) ?? "value";
}

function missingField(operand: Expr, field: string, offset: number): Fault {
  const path = constantPath(operand);
  const name = path === null ? field : `${path.join(".")}.${field}`;
  return new Fault(`no such field \`${name}\``, offset);
}

function noFields(operand: Expr, value: CelValue, field: string, offset: number): Fault {
  const what = withArticle(kindOf(value));
  return new Fault(`no such field \`${field}\`: \`${nameOf(operand)}\` is ${what}, not a map`, offset);
}

export function compileIdentifier(expr: Extract<Expr, { kind: "identifier" }>, compiler: Compiler): Evaluate {
  const { name, start } = expr;
  const local = expr.absolute ? undefined : compiler.local(name);
  if (local !== undefined) {
    const { slot } = local;
    return ({ locals }) => locals[slot] ?? null;
  }
  const take = adopterOf(compiler.typeOf(expr));
  const missing = new Fault(`no such variable \`${name}\``, start);
  return ({ vars }) => {
    const value = Object.hasOwn(vars, name) ? vars[name] : undefined;
    return value === undefined ? missing : take(value, start);
  };
}

type Member = Extract<Expr, { kind: "select" | "index" }>;

export function compileSelect(expr: Extract<Expr, { kind: "select" }>, compiler: Compiler): Evaluate {
  return expr.optional ? compileOptionalIndex(expr, compiler) : compileField(expr, expr.field, compiler);
}

export function compileIndex(expr: Extract<Expr, { kind: "index" }>, compiler: Compiler): Evaluate {
  if (expr.optional) return compileOptionalIndex(expr, compiler);
  const field = fieldOf(expr);
  return field === null ? compileItem(expr, compiler) : compileField(expr, field, compiler);
}

function compileField(expr: Member, field: string, compiler: Compiler): Evaluate {
  const { operand } = expr;
  const offset = expr.operand.end;
  const take = adopterOf(compiler.typeOf(expr));
  const missing = missingField(operand, field, offset);
  if (operand.kind === "identifier" && compiler.local(operand.name) === undefined) {
    return compileVariableField(operand, field, take, missing);
  }
  const base = compiler.compile(operand);
  return (activation) => {
    const target = base(activation);
    if (target instanceof Fault) return target;
    if (target instanceof CelOptional) return fieldOfOptional(target, field, take, offset);
    const value = ownField(target, field);
    if (value === undefined) return missing;
    return value === NO_FIELDS ? noFields(operand, target, field, offset) : take(value, offset);
  };
}

/** `args.amount`, by far the most frequent read, without a closure for `args`. */
function compileVariableField(
  variable: Extract<Expr, { kind: "identifier" }>,
  field: string,
  take: Adopt,
  missing: Fault,
): Evaluate {
  const { name, start } = variable;
  const { offset } = missing;
  const other = (vars: CelRecord): Outcome => {
    const container = Object.hasOwn(vars, name) ? vars[name] : undefined;
    if (container === undefined) return new Fault(`no such variable \`${name}\``, start);
    const value = ownField(container, field);
    if (value === undefined) return missing;
    if (value !== NO_FIELDS) return take(value, offset);
    const target = adopt(container, start);
    if (target instanceof CelOptional) return fieldOfOptional(target, field, take, offset);
    return target instanceof Fault ? target : noFields(variable, target, field, offset);
  };
  if (name !== "args") return ({ vars }) => other(vars);
  return ({ args, vars }) => {
    if (args === null) return other(vars);
    const value = Object.hasOwn(args, field) ? args[field] : undefined;
    return value === undefined ? missing : take(value, offset);
  };
}

/** `optional.field` looks inside, and stays an optional. */
function fieldOfOptional(optional: CelOptional, field: string, take: Adopt, offset: number): Outcome {
  if (optional.value === undefined) return NONE;
  const value = ownField(optional.value, field);
  if (value === undefined) return NONE;
  if (value === NO_FIELDS) return new Fault(`no such field \`${field}\`: the optional holds no map`, offset);
  return wrap(take(value, offset));
}

function wrap(value: Outcome): Outcome {
  return value instanceof Fault ? value : new CelOptional(value);
}

export function compileHas(expr: Extract<Expr, { kind: "has" }>, compiler: Compiler): Evaluate {
  const { operand, field } = expr;
  const base = compiler.compile(operand);
  return (activation) => {
    const target = base(activation);
    if (target instanceof Fault) return target;
    const inner = target instanceof CelOptional ? target.value : target;
    if (inner === undefined) return false;
    const value = ownField(inner, field);
    return value === NO_FIELDS ? noFields(operand, inner, field, operand.end) : value !== undefined;
  };
}

function compileItem(expr: Extract<Expr, { kind: "index" }>, compiler: Compiler): Evaluate {
  const base = compiler.compile(expr.operand);
  const key = compiler.compile(expr.index);
  const take = adopterOf(compiler.typeOf(expr));
  return (activation) => {
    const target = base(activation);
    if (target instanceof Fault) return target;
    const index = key(activation);
    if (index instanceof Fault) return index;
    const inner = target instanceof CelOptional ? target.value : target;
    if (inner === undefined) return NONE;
    const value = itemOf(inner, index, expr);
    if (target instanceof CelOptional) {
      if (value === undefined) return NONE;
      return value instanceof Fault ? value : wrap(take(value, expr.start));
    }
    if (value === undefined) return absent(inner, expr);
    return value instanceof Fault ? value : take(value, expr.start);
  };
}

/** `x.?field` and `x[?index]`: an optional, empty where the field or item is absent. */
function compileOptionalIndex(expr: Member, compiler: Compiler): Evaluate {
  const base = compiler.compile(expr.operand);
  const key = expr.kind === "index" ? compiler.compile(expr.index) : () => expr.field;
  const take = adopterOf(compiler.typeOf(expr));
  return (activation) => {
    const target = base(activation);
    if (target instanceof Fault) return target;
    const index = key(activation);
    if (index instanceof Fault) return index;
    const inner = target instanceof CelOptional ? target.value : target;
    if (inner === undefined) return NONE;
    const value = itemOf(inner, index, expr);
    if (value === undefined) return NONE;
    return value instanceof Fault ? value : wrap(take(value, expr.start));
  };
}

/** Raw; undefined when there is no such item or key. */
function itemOf(target: CelValue, index: CelValue, expr: Member): unknown {
  if (isList(target)) {
    const position = numberOf(index);
    // A double indexes a list only where it is whole.
    if (position === undefined || !Number.isInteger(Number(position))) {
      return new Fault(`a list is indexed by an int, not ${withArticle(kindOf(index))}`, expr.operand.end);
    }
    return position >= 0 && position < target.length ? target[Number(position)] : undefined;
  }
  if (isMap(target)) return entryOf(target, index);
  const what = withArticle(kindOf(target));
  return new Fault(`\`${nameOf(expr.operand)}\` is ${what}: only lists and maps have items`, expr.operand.end);
}

function absent(target: CelValue, expr: Member): Fault {
  const where = constantPath(expr.operand) === null ? "" : ` \`${nameOf(expr.operand)}\``;
  const message = isList(target)
    ? `an index outside of the list${where}: compare with \`size(…)\` first`
    : `no such key in the map${where}`;
  return new Fault(message, expr.operand.end);
}
