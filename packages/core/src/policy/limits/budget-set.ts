/** All budgets of a policy set, found by tool or model at the first call and kept. */
import { type ArgumentUnits, NO_UNITS, unitFrom } from "../../argument-units.ts";
import type { BudgetClaim, ModelBound, ModelBudgetClaim } from "../../budget.ts";
import type { ToolCall } from "../../call.ts";
import type { EvaluationContext } from "../../decision.ts";
import type { Hash } from "../../ports.ts";
import type { CelEnv } from "../cel/index.ts";
import { withArgs } from "../check-arguments.ts";
import { budgetDigest } from "../digest.ts";
import { compareText } from "../issue.ts";
import type { PolicyModel } from "../model.ts";
import type { ModelContext } from "../policy-set.ts";
import { withoutNulls } from "../schema/absent.ts";
import type { Schema } from "../schema/types.ts";
import type { ToolFacts, ToolTable } from "../tool-table.ts";
import { modelVariablesOf, type Variables, variablesOf } from "../variables.ts";
import {
  type BudgetFrame,
  budgetsOfModel,
  budgetsOfTool,
  type CompiledBudget,
  type CompiledModelBudget,
} from "./compile-budgets.ts";

/** A model can make up tools without end; the cache then starts anew. */
const CACHED = 4_096;

interface OfTool {
  readonly tool: ToolFacts;
  readonly schema: Schema | null;
  readonly budgets: readonly CompiledBudget[];
  readonly names: readonly string[];
}

interface OfModel {
  readonly budgets: readonly CompiledModelBudget[];
  readonly names: readonly string[];
}

type Named = Pick<PolicyModel, "constants" | "context">;

export class BudgetSet {
  readonly #frames: readonly BudgetFrame[];
  readonly #tools: ToolTable;
  readonly #env: CelEnv;
  readonly #named: Named;
  readonly #byTool = new Map<string, OfTool>();
  readonly #byModel = new Map<string, OfModel>();

  constructor(model: PolicyModel, tools: ToolTable, hash: Hash) {
    const { constants, context, approval, env } = model;
    const environments = new Set(model.environments.keys());
    this.#frames = model.budgets
      .toSorted((a, b) => compareText(a.id, b.id))
      .map((budget) => ({ budget, digest: once(() => budgetDigest(budget, model, hash)), approval, environments }));
    this.#tools = tools;
    this.#env = env;
    this.#named = { constants, context };
  }

  /** By budget id. */
  claims(call: ToolCall, context: EvaluationContext): readonly BudgetClaim[] {
    if (this.#frames.length === 0) return [];
    const of = this.#ofTool(call.tool);
    const counting = of.budgets.filter((budget) => budget.counts(context));
    if (counting.length === 0) return [];
    const variables = this.#variables(of, call, context);
    return counting.flatMap((budget) => budget.claim(variables) ?? []);
  }

  /** The units of arguments that budgets add as they stand. Two that differ about one of them are none. Total. */
  argumentUnits(call: ToolCall, context: EvaluationContext): ArgumentUnits {
    if (this.#frames.length === 0) return NO_UNITS;
    const of = this.#ofTool(call.tool);
    const adding = of.budgets.filter((budget) => budget.adds !== null && budget.counts(context));
    if (adding.length === 0) return NO_UNITS;
    const variables = this.#variables(of, call, context);
    const said = adding.flatMap(({ adds, claim }) => {
      const claimed = claim(variables);
      return adds === null || claimed === null || claimed.amount === null ? [] : [{ ...adds, unit: claimed.unit }];
    });
    const agreed = said.filter(({ path, unit }) => said.every((other) => other.path !== path || other.unit === unit));
    return Object.freeze(Object.fromEntries(agreed.map(({ path, unit, from }) => [path, unitFrom(unit, from)])));
  }

  #variables({ tool, schema, names }: OfTool, call: ToolCall, context: EvaluationContext): Variables {
    const args = schema === null ? call.args : withoutNulls(call.args, schema, "all");
    return variablesOf({ names, tool }, context.environment, call, args, context, this.#named);
  }

  modelClaims(model: string, context: ModelContext, bound: ModelBound): readonly ModelBudgetClaim[] {
    if (this.#frames.length === 0) return [];
    const { budgets, names } = this.#ofModel(model);
    const counting = budgets.filter((budget) => budget.counts(context));
    if (counting.length === 0) return [];
    const variables = modelVariablesOf(names, context, this.#named);
    return counting.flatMap((budget) => budget.claim(variables, bound) ?? []);
  }

  #ofTool(name: string): OfTool {
    return kept(this.#byTool, name, () => {
      const tool = this.#tools.facts(name);
      const env = tool.schema === null ? this.#env : withArgs(this.#env, tool.schema.args);
      const budgets = budgetsOfTool(this.#frames, tool, env);
      return { tool, schema: tool.schema?.schema ?? null, budgets, names: namesOf(budgets) };
    });
  }

  #ofModel(name: string): OfModel {
    return kept(this.#byModel, name, () => {
      const budgets = budgetsOfModel(this.#frames, name, this.#env);
      return { budgets, names: namesOf(budgets) };
    });
  }
}

function namesOf(budgets: readonly Pick<CompiledBudget, "names">[]): readonly string[] {
  return [...new Set(budgets.flatMap(({ names }) => names))];
}

function kept<Value>(cache: Map<string, Value>, key: string, make: () => Value): Value {
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= CACHED) cache.clear();
  const value = make();
  cache.set(key, value);
  return value;
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
