/** A resolved schema → closures. No code generation: each keyword becomes a function made at load. */
import type { Json, JsonObject } from "../../value/json.ts";
import { checkAllowed, checkCombined } from "./compile-combined.ts";
import { checkObject, closing, NO_PROPERTIES, speaksOfObjects } from "./compile-object.ts";
import { checkList, checkNumber, checkText } from "./compile-values.ts";
import type { ArgumentIssue, ArgumentValidator, JsonType, Schema, SchemaNode } from "./types.ts";
import { type Check, type Compiler, Validation } from "./validation.ts";

/** The validator of a tool's arguments: a yes costs one walk, a no a second one that collects what is wrong. */
export function compileSchema(schema: Schema): ArgumentValidator {
  const check = new SchemaCompiler().at(schema);
  return Object.freeze({
    validate(args: JsonObject): readonly ArgumentIssue[] {
      if (check(args, "", new Validation(null), null)) return NOTHING_WRONG;
      const issues: ArgumentIssue[] = [];
      check(args, "", new Validation(issues), null);
      return issues.length > 0 ? issues : TOO_MUCH;
    },
  });
}

/** Does this one value fit? */
export function fitsSchema(schema: Schema, value: Json): boolean {
  return schemaTest(schema)(value);
}

/** The same for many values. */
export function schemaTest(schema: Schema): (value: Json) => boolean {
  const check = new SchemaCompiler().at(schema);
  return (value) => check(value, "", new Validation(null), null);
}

const NOTHING_WRONG: readonly ArgumentIssue[] = Object.freeze([]);
const TOO_MUCH: readonly ArgumentIssue[] = Object.freeze([
  { path: "", message: "must be simpler: checking them takes too much work" },
]);

/** `closed`: all that is said of a value. `shared`: one of several schemas for the same value. */
type Mode = "closed" | "shared";

/** Each part once for each way in which it is used: references may be recursive. */
class SchemaCompiler implements Compiler {
  readonly #made: Readonly<Record<Mode, Map<SchemaNode, Check>>> = { closed: new Map(), shared: new Map() };

  at(schema: Schema): Check {
    return this.#of(schema, "closed");
  }

  shared(schema: Schema): Check {
    return this.#of(schema, "shared");
  }

  #of(schema: Schema, mode: Mode): Check {
    if (schema === true) return () => true;
    if (schema === false) return (_value, path, run) => run.miss(path, "must not be there");
    const known = this.#made[mode].get(schema);
    if (known !== undefined) return known;
    let made: Check | undefined;
    // Set before its parts are compiled: a recursive reference finds it, and asks when it is run.
    this.#made[mode].set(schema, (value, path, run, seen) => made?.(value, path, run, seen) ?? false);
    made = this.#node(schema, mode);
    this.#made[mode].set(schema, made);
    return made;
  }

  #node(node: SchemaNode, mode: Mode): Check {
    const checks: Check[] = [];
    if (node.types !== null) checks.push(checkType(node.types));
    if (node.allowed !== null) checks.push(checkAllowed(node.allowed));
    if (node.number !== null) checks.push(checkNumber(node.number));
    if (node.text !== null) checks.push(checkText(node.text));
    if (node.list !== null) checks.push(checkList(node.list, this));
    const closes = mode === "closed" && speaksOfObjects(node);
    const { combined } = node;
    if (combined === null) {
      if (node.object !== null || closes) checks.push(checkObject(node.object ?? NO_PROPERTIES, closes, this));
      return inOrder(checks);
    }
    if (node.object !== null) checks.push(checkObject(node.object, false, this));
    checks.push(checkCombined(combined, this));
    return closes ? closing(inOrder(checks)) : inOrder(checks);
  }
}

/** All of them, one after the other: what comes later may rely on what came before, the type first. */
function inOrder(checks: readonly Check[]): Check {
  const [first = () => true, second, ...others] = checks;
  if (second === undefined) {
    return (value, path, run, seen) => run.spend(1) && first(value, path, run, seen);
  }
  if (others.length === 0) {
    return (value, path, run, seen) => run.spend(1) && first(value, path, run, seen) && second(value, path, run, seen);
  }
  return (value, path, run, seen) => {
    if (!run.spend(1)) return false;
    for (const check of checks) if (!check(value, path, run, seen)) return false;
    return true;
  };
}

function checkType(types: ReadonlySet<JsonType>): Check {
  const [only] = types;
  const message = `must be ${[...types].map(withArticle).join(" or ")}`;
  const fits =
    types.size === 1 && only !== undefined ? IS[only] : (value: Json) => [...types].some((type) => IS[type](value));
  return (value, path, run) => fits(value) || run.miss(path, message);
}

/** A number without a fraction is an integer, however it was written. */
const IS: Readonly<Record<JsonType, (value: Json) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  array: (value) => Array.isArray(value),
  null: (value) => value === null,
};

function withArticle(type: JsonType): string {
  if (type === "null") return "null";
  return `${/^[aio]/.test(type) ? "an" : "a"} ${type}`;
}
