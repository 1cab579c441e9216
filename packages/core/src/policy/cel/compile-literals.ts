/** `[…]` and `{…}`. What is made of constants is made once. */
import type { Expr, ListExpr, MapExpr } from "./ast.ts";
import type { Compiler, Evaluate } from "./compile.ts";
import { Fault } from "./issues.ts";
import { withArticle } from "./types.ts";
import { CelMap, CelOptional, type CelValue, kindOf, type MapKey, mapKey, type Outcome } from "./values.ts";

/** The value of a literal, or of a list of constants; undefined for everything else. */
export function constantOf(expr: Expr): CelValue | undefined {
  if (expr.kind === "literal") return expr.value;
  if (expr.kind !== "list") return undefined;
  const values: CelValue[] = [];
  for (const item of expr.items) {
    const value = item.optional ? undefined : constantOf(item.value);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

export function compileList(expr: ListExpr, compiler: Compiler): Evaluate {
  const known = constantOf(expr);
  if (known !== undefined) return () => known;
  const items = expr.items.map((item) => ({ ...item, evaluate: compiler.compile(item.value) }));
  return (activation) => {
    const list: CelValue[] = [];
    for (const { evaluate, optional, value: at } of items) {
      const value = evaluate(activation);
      const item = optional ? unwrapped(value, at.start) : value;
      if (item instanceof Fault) return item;
      if (item !== undefined) list.push(item);
    }
    return list;
  };
}

/** `[?x]` and `{?k: x}` take an optional; undefined where it is empty. */
function unwrapped(value: Outcome, offset: number): Outcome | undefined {
  if (value instanceof Fault) return value;
  if (value instanceof CelOptional) return value.value;
  return new Fault(`\`?\` needs an optional, as in \`args.?name\`, not ${withArticle(kindOf(value))}`, offset);
}

export function compileMap(expr: MapExpr, compiler: Compiler): Evaluate {
  const entries = expr.entries.map((entry) => ({
    ...entry,
    readKey: compiler.compile(entry.key),
    readValue: compiler.compile(entry.value),
  }));
  return (activation) => {
    const map = new Map<MapKey, { key: CelValue; value: CelValue }>();
    for (const { readKey, readValue, optional, ...at } of entries) {
      const key = readKey(activation);
      if (key instanceof Fault) return key;
      const raw = readValue(activation);
      const value = optional ? unwrapped(raw, at.value.start) : raw;
      if (value instanceof Fault) return value;
      const form = kindOf(key) === "double" ? undefined : mapKey(key);
      if (form === undefined) {
        return new Fault(
          `a map's key is a string, an int, a uint or a bool, not ${withArticle(kindOf(key))}`,
          at.key.start,
        );
      }
      if (map.has(form)) return new Fault("the same key twice in a map", at.key.start);
      if (value !== undefined) map.set(form, { key, value });
    }
    return new CelMap(map);
  };
}
