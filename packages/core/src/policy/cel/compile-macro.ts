/** `all exists exists_one map filter optMap optFlatMap`: the only loops of the language, and each round is paid for. */
import { type Activation, OUT_OF_STEPS } from "./activation.ts";
import { childrenOf, type Expr, type Macro } from "./ast.ts";
import type { Compiler, Evaluate } from "./compile.ts";
import { required } from "./compile-logical.ts";
import { type Adopt, adopterOf } from "./compile-path.ts";
import { Fault } from "./issues.ts";
import { itemType, kindOfType, withArticle } from "./types.ts";
import { CelOptional, type CelValue, isList, isMap, keysOf, kindOf, NONE, type Outcome } from "./values.ts";

interface Loop {
  readonly macro: Macro;
  readonly slot: number;
  readonly where: Evaluate | null;
  readonly body: Evaluate;
  readonly take: Adopt;
  /** Steps of one round. */
  readonly cost: number;
}

export function compileMacro(expr: Macro, compiler: Compiler): Evaluate {
  const range = compiler.compile(expr.range);
  const strict = compiler.isStrict(expr.range);
  const rangeType = compiler.typeOf(expr.range);
  const loop = compiler.withLocal(
    expr.variable,
    strict,
    (slot): Loop => ({
      macro: expr,
      slot,
      where: expr.where === null ? null : compiler.compile(expr.where),
      body: compiler.compile(expr.body),
      take: adopterOf(itemType(rangeType)),
      cost: 1 + roundCost(expr.body) + (expr.where === null ? 0 : roundCost(expr.where)),
    }),
  );
  if (expr.macro === "optMap" || expr.macro === "optFlatMap") return compileOptional(loop, range);
  const mapAllowed = !strict || kindOfType(rangeType) === "map";
  const run = RUNS[expr.macro];
  return (activation) => {
    const value = range(activation);
    if (value instanceof Fault) return value;
    const items = itemsOf(value, expr, mapAllowed);
    return items instanceof Fault ? items : run(items, loop, activation);
  };
}

/** Nodes of a body; a macro in it pays for its own rounds. */
function roundCost(expr: Expr): number {
  if (expr.kind === "macro") return 1 + roundCost(expr.range);
  return childrenOf(expr).reduce((sum, child) => sum + roundCost(child), 1);
}

function itemsOf(value: CelValue, { macro, range }: Macro, mapAllowed: boolean): readonly unknown[] | Fault {
  if (isList(value)) return value;
  if (!isMap(value)) return new Fault(`\`${macro}\` needs a list, not ${withArticle(kindOf(value))}`, range.start);
  if (mapAllowed) return keysOf(value);
  // Where a list was meant, a map would be judged by its keys.
  return new Fault(`\`${macro}\` needs a list, not a map; for a map, say so in the tool's schema`, range.start);
}

type Run = (items: readonly unknown[], loop: Loop, activation: Activation) => Outcome;

/** Binds the item and evaluates the body, or says why that is not possible. */
function round(item: unknown, loop: Loop, activation: Activation, body: Evaluate): Outcome {
  const value = loop.take(item, loop.macro.range.start);
  if (value instanceof Fault) return value;
  activation.locals[loop.slot] = value;
  return body(activation);
}

function outOfSteps({ macro }: Loop): Fault {
  return new Fault(OUT_OF_STEPS, macro.start);
}

/** One item that decides is enough, also beside items that erred. */
function quantify(decides: boolean): Run {
  return (items, loop, activation) => {
    let fault: Fault | null = null;
    for (const item of items) {
      if (!activation.spend(loop.cost)) return outOfSteps(loop);
      const value = round(item, loop, activation, loop.body);
      if (value === decides) return decides;
      if (typeof value !== "boolean") fault ??= required(value, loop.macro.macro, loop.macro.body.start);
    }
    return fault ?? !decides;
  };
}

const RUNS: Readonly<Record<Exclude<Macro["macro"], "optMap" | "optFlatMap">, Run>> = {
  all: quantify(false),
  exists: quantify(true),
  exists_one: (items, loop, activation) => {
    let count = 0;
    for (const item of items) {
      if (!activation.spend(loop.cost)) return outOfSteps(loop);
      const value = round(item, loop, activation, loop.body);
      if (typeof value !== "boolean") return required(value, "exists_one", loop.macro.body.start);
      if (value) count++;
    }
    return count === 1;
  },
  filter: (items, loop, activation) => {
    const kept: CelValue[] = [];
    for (const item of items) {
      if (!activation.spend(loop.cost)) return outOfSteps(loop);
      const value = round(item, loop, activation, loop.body);
      if (typeof value !== "boolean") return required(value, "filter", loop.macro.body.start);
      if (value) kept.push(activation.locals[loop.slot] ?? null);
    }
    return kept;
  },
  map: (items, loop, activation) => {
    const made: CelValue[] = [];
    for (const item of items) {
      if (!activation.spend(loop.cost)) return outOfSteps(loop);
      if (loop.where !== null) {
        const kept = round(item, loop, activation, loop.where);
        if (typeof kept !== "boolean") return required(kept, "map", loop.macro.where?.start ?? 0);
        if (!kept) continue;
      }
      const value = round(item, loop, activation, loop.body);
      if (value instanceof Fault) return value;
      made.push(value);
    }
    return made;
  },
};

function compileOptional(loop: Loop, range: Evaluate): Evaluate {
  const { macro, slot, body } = loop;
  return (activation) => {
    const optional = range(activation);
    if (optional instanceof Fault) return optional;
    if (!(optional instanceof CelOptional)) {
      return new Fault(
        `\`${macro.macro}\` needs an optional, as in \`args.?name\`, not ${withArticle(kindOf(optional))}`,
        macro.range.start,
      );
    }
    if (optional.value === undefined) return NONE;
    activation.locals[slot] = optional.value;
    const value = body(activation);
    if (value instanceof Fault) return value;
    if (macro.macro === "optMap") return new CelOptional(value);
    if (value instanceof CelOptional) return value;
    return new Fault(
      `\`optFlatMap\` needs a body that is an optional, not ${withArticle(kindOf(value))}`,
      macro.body.start,
    );
  };
}
