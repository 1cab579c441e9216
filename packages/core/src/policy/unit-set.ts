/**
 * What the arguments of a call count: by the tool's own `units`, else by the budgets that count the call and add one plain
 * argument. It is told to people and decides nothing: whatever fails, contradicts itself or is no known unit says nothing.
 */
import { type ArgumentUnit, type ArgumentUnits, NO_UNITS, unitFrom } from "../argument-units.ts";
import type { ToolCall } from "../call.ts";
import type { EvaluationContext } from "../decision.ts";
import { isKnownUnit } from "../value/unit.ts";
import { argumentsRead } from "./argument-reads.ts";
import { type CelEnv, type CelProgram, compileCel } from "./cel/index.ts";
import { withArgs } from "./check-arguments.ts";
import type { BudgetSet } from "./limits/budget-set.ts";
import type { PolicyModel, UnitModel } from "./model.ts";
import { withoutNulls } from "./schema/absent.ts";
import type { ToolFacts, ToolTable } from "./tool-table.ts";
import { namesIn } from "./value-expression.ts";
import { type Variables, variablesOf } from "./variables.ts";

export type UnitsOf = (call: ToolCall, context: EvaluationContext) => ArgumentUnits;

interface OfTool {
  readonly tool: ToolFacts;
  readonly own: readonly OwnUnit[];
  readonly names: readonly string[];
}

interface OwnUnit {
  readonly path: string;
  /** Undefined where its expression gives none. Total. */
  unit(variables: Variables): ArgumentUnit | undefined;
}

/** A model can make up tools without end; the cache then starts anew. */
const CACHED = 4_096;

/** Pure and total. */
export function unitSet(model: PolicyModel, tools: ToolTable, budgets: BudgetSet): UnitsOf {
  const { constants, context: declared } = model;
  const byTool = new Map<string, OfTool>();
  const ofTool = (name: string): OfTool => {
    const known = byTool.get(name);
    if (known !== undefined) return known;
    if (byTool.size >= CACHED) byTool.clear();
    const made = prepared(tools.facts(name), model.env);
    byTool.set(name, made);
    return made;
  };
  return (call, context) => {
    const { tool, own, names } = ofTool(call.tool);
    const counted = budgets.argumentUnits(call, context);
    if (own.length === 0) return counted;
    const args = tool.schema === null ? call.args : withoutNulls(call.args, tool.schema.schema, "all");
    const variables = variablesOf({ names, tool }, context.environment, call, args, context, {
      constants,
      context: declared,
    });
    // What the tool says itself holds, also where it then cannot tell.
    const others = Object.entries(counted).filter(([path]) => !own.some((one) => one.path === path));
    const said = own.flatMap(({ path, unit }) => {
      const one = unit(variables);
      return one === undefined ? [] : [[path, one] as const];
    });
    return said.length + others.length === 0 ? NO_UNITS : Object.freeze(Object.fromEntries([...others, ...said]));
  };
}

function prepared(tool: ToolFacts, plain: CelEnv): OfTool {
  const env = tool.schema === null ? plain : withArgs(plain, tool.schema.args);
  const names = tool.units.flatMap(({ unit }) => (typeof unit === "string" ? [] : [...namesIn(unit.expr)]));
  return { tool, own: tool.units.map((unit) => ownUnit(unit, env)), names: [...new Set(names)] };
}

function ownUnit({ path, unit }: UnitModel, env: CelEnv): OwnUnit {
  if (typeof unit === "string") {
    const said = Object.freeze({ unit });
    return { path, unit: () => said };
  }
  const from = argumentsRead(unit.expr);
  let program: CelProgram | undefined;
  return {
    path,
    unit(variables) {
      try {
        program ??= compileCel(unit.expr, env);
        const word = program.evaluate(variables);
        return typeof word === "string" && isKnownUnit(word) ? unitFrom(word, from) : undefined;
      } catch {
        // Whatever went wrong, the verdict is not this function's to change.
        return undefined;
      }
    },
  };
}
