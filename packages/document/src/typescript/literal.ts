/** Values of a program → literals of a condition. What a condition cannot hold exactly is refused. */
import { CelDouble, type CelExpr } from "@saferun/core";
import { BuildError } from "./build-error.ts";

type Nested = (value: unknown) => CelExpr;

/** What is built stands nowhere: its text, once printed, is parsed again. */
export const AT = { start: 0, end: 0 } as const;

/** `nested` makes the items of lists and the values of maps, which may be expressions. */
export function literal(value: unknown, nested: Nested): CelExpr {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return { kind: "literal", value, ...AT };
    case "number":
      return { kind: "literal", value: numberOf(value), ...AT };
    case "object":
      if (value === null) return { kind: "literal", value, ...AT };
      return Array.isArray(value) ? listOf(value, nested) : mapOf(value, nested);
    default:
      throw new BuildError(
        "wrong-type",
        `a condition cannot hold ${value === undefined ? "nothing" : `a ${typeof value}`}`,
      );
  }
}

function numberOf(value: number): number | CelDouble {
  if (Number.isSafeInteger(value)) return value + 0;
  if (Number.isFinite(value) && !Number.isInteger(value)) return new CelDouble(value);
  throw new BuildError("bad-value", `the number \`${value}\` cannot be held exactly`);
}

function listOf(list: readonly unknown[], nested: Nested): CelExpr {
  return { kind: "list", items: Array.from(list, (item) => ({ value: nested(item), optional: false })), ...AT };
}

function mapOf(map: object, nested: Nested): CelExpr {
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new BuildError("wrong-type", "a condition cannot hold an object that is not plain");
  }
  const entries = Object.entries(map).map(([key, item]) => ({
    key: nested(key),
    value: nested(item),
    optional: false,
  }));
  return { kind: "map", entries, ...AT };
}
