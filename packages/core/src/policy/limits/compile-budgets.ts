/** Budgets, ready to be asked what one call wants of them. Every error is a claim without an amount, which denies. */
import type { BudgetClaim, ModelBound, ModelBudgetClaim } from "../../budget.ts";
import type { ApprovalTerms, EvaluationContext, PauseReason } from "../../decision.ts";
import { parseDecimal } from "../../value/decimal.ts";
import { isKnownUnit, scaleOf } from "../../value/unit.ts";
import { argumentsRead, plainArgument } from "../argument-reads.ts";
import { type CelEnv, CelError, CelFault, type CelProgram, type CelValue, compileCel } from "../cel/index.ts";
import { conditionTest, type Test } from "../condition-test.ts";
import { globMatches } from "../glob.ts";
import type { ExpressionModel } from "../model.ts";
import { type Matcher, nameMatcher, principalInScope, toolInScope } from "../scope.ts";
import type { ToolFacts } from "../tool-table.ts";
import { namesIn } from "../value-expression.ts";
import type { Variables } from "../variables.ts";
import { amountIn, amountOfValue, Faulty, keyOfValue } from "./amount.ts";
import type { BudgetModel } from "./model.ts";

/** Who calls, where, for whom. */
type Caller = Pick<EvaluationContext, "agent" | "environment" | "principal">;

/** One budget for the calls of one tool, whose types its expressions follow. */
export interface CompiledBudget {
  /** Names that its expressions mention. */
  readonly names: readonly string[];
  /** False where the budget does not count calls of this caller. */
  counts(caller: Caller): boolean;
  /** Null where `when` is false. Total. */
  claim(variables: Variables): BudgetClaim | null;
  /** Where what it adds is one plain argument: its path, and the arguments by which it is told that it is of the claim's unit. */
  readonly adds: { readonly path: string; readonly from: readonly string[] } | null;
}

export interface CompiledModelBudget extends Pick<CompiledBudget, "names" | "counts"> {
  claim(variables: Variables, bound: ModelBound): ModelBudgetClaim | null;
}

/** What of a declaration every claim carries. */
export interface BudgetFrame {
  readonly budget: BudgetModel;
  /** Of the declaration and all that it refers to, hex; made when first asked for. */
  readonly digest: () => string;
  readonly approval: ApprovalTerms;
  /** Declared environments: in another one the budgets of all of them count. */
  readonly environments: ReadonlySet<string>;
}

/** The budgets that count calls of this tool, by id. */
export function budgetsOfTool(frames: readonly BudgetFrame[], tool: ToolFacts, env: CelEnv): readonly CompiledBudget[] {
  return frames
    .filter(({ budget }) => budget.models === null && toolInScope(budget.scope, tool))
    .map((frame) => forTool(frame, tool, env));
}

function forTool(frame: BudgetFrame, tool: ToolFacts, env: CelEnv): CompiledBudget {
  const { budget } = frame;
  const { sum } = budget;
  const ofTool = sum === null || "expr" in sum ? sum : sum.get(tool.name);
  const parts = partsOf(budget, env);
  const program = ofTool === undefined || ofTool === null ? null : programOf(ofTool, env);
  const amount = (variables: Variables, unit: string): bigint | Faulty => {
    // A tool that the map of `sum` leaves out, behind a glob.
    if (ofTool === undefined) return new Faulty("the budget does not say what a call of this tool adds");
    return program === null
      ? amountOfValue(1, unit)
      : evaluated(program, variables, (value) => amountOfValue(value, unit));
  };
  return {
    names: namesOf(budget, ofTool ?? null),
    counts: callerMatcher(frame),
    claim: (variables) => guarded(frame, () => parts.claim(frame, variables, (unit) => amount(variables, unit))),
    adds: ofTool === undefined || ofTool === null ? null : addedBy(budget, ofTool),
  };
}

function addedBy({ condition, unit }: BudgetModel, { expr }: ExpressionModel): CompiledBudget["adds"] {
  const path = plainArgument(expr);
  if (path === undefined) return null;
  const chosen = typeof unit === "string" ? [] : argumentsRead(unit.expr);
  // How much it is may decide whether the budget counts it, and makes it no other unit.
  const counted = (condition === null ? [] : argumentsRead(condition.expr)).filter((read) => read !== path);
  return { path, from: [...new Set([...chosen, ...counted])].sort() };
}

/** The budgets that count calls of this model, by id. */
export function budgetsOfModel(
  frames: readonly BudgetFrame[],
  model: string,
  env: CelEnv,
): readonly CompiledModelBudget[] {
  const names = namesOfModel(model);
  const isMeant = (pattern: string): boolean => names.some((name) => globMatches(pattern, name));
  return frames.filter(({ budget }) => budget.models?.some(isMeant) === true).map((frame) => forModel(frame, env));
}

/**
 * Frameworks name the same model in several ways, and a budget that misses one of them counts nothing: with the
 * provider's interface or without (`openai.responses:gpt-5`, `openai:gpt-5`), without a provider, without its maker
 * (`openrouter:openai/gpt-5`).
 */
function namesOfModel(model: string): readonly string[] {
  const at = model.indexOf(":");
  const [provider, name] = at === -1 ? ["", model] : [model.slice(0, at), model.slice(at + 1)];
  const [vendor = ""] = provider.split(".");
  return [model, `${vendor}:${name}`, name, name.slice(name.lastIndexOf("/") + 1)];
}

function forModel(frame: BudgetFrame, env: CelEnv): CompiledModelBudget {
  const { budget } = frame;
  const parts = partsOf(budget, env);
  const counts = budget.unit === "tokens" || budget.unit === "calls" ? budget.unit : "usd";
  return {
    names: namesOf(budget, null),
    counts: callerMatcher(frame),
    claim: (variables, bound) => {
      const amount = counts === "calls" ? 1n : counts === "tokens" ? bound.tokens : bound.usdMicros;
      const claim = guarded(frame, () =>
        parts.claim(frame, variables, () => amount ?? new Faulty("no price or no bound of this model call is known")),
      );
      if (claim === null) return null;
      const { unpriced } = budget;
      const chosen = amount === null && claim.key.length === budget.key.length && unpriced !== "deny";
      return chosen ? { ...claim, counts, unpriced } : { ...claim, counts };
    },
  };
}

interface Parts {
  claim(frame: BudgetFrame, variables: Variables, amountIn: (unit: string) => bigint | Faulty): BudgetClaim | null;
}

function partsOf({ condition, unit, key }: BudgetModel, env: CelEnv): Parts {
  const test: Test | null = condition === null ? null : conditionTest(condition.expr, env);
  const keys = key.map((one) => programOf(one, env));
  const unitProgram = typeof unit === "string" ? null : programOf(unit, env);
  return {
    claim(frame, variables, amountOf) {
      const counted = test === null ? true : test(variables);
      if (counted === false) return null;
      if (counted instanceof CelFault) return faulty(frame, `\`when\` failed: ${counted.message}`);
      const word = unitProgram === null ? unit : evaluated(unitProgram, variables, unitOfValue);
      if (typeof word !== "string") return faulty(frame, word instanceof Faulty ? word.fault : "no unit");
      const limit = parseDecimal(frame.budget.limit, scaleOf(word));
      if (limit === undefined) return faulty(frame, `the limit has more digits than ${word} has`);
      const texts: string[] = [];
      for (const program of keys) {
        const text = evaluated(program, variables, keyOfValue);
        if (text instanceof Faulty) return faulty(frame, text.fault);
        texts.push(text);
      }
      const amount = amountOf(word);
      const known = amount instanceof Faulty ? { amount: null, fault: amount.fault } : { amount };
      return claimOf(frame, { unit: word, key: texts, limit, ...known });
    },
  };
}

type Found = Pick<BudgetClaim, "unit" | "key" | "limit" | "amount"> & { readonly fault?: string };

function faulty(frame: BudgetFrame, fault: string): BudgetClaim {
  const unit = typeof frame.budget.unit === "string" ? frame.budget.unit : "";
  return claimOf(frame, { unit, key: [], limit: 0n, amount: null, fault });
}

function claimOf({ budget, digest, approval }: BudgetFrame, found: Found): BudgetClaim {
  const { id, window, over, settle, reason, fix, span } = budget;
  return {
    budget: id,
    digest: digest(),
    ...found,
    window,
    over,
    ...(settle === null ? {} : { actual: (result: unknown) => amountIn(result, settle, found.unit) }),
    pause: pauseOf(id, digest(), reason, approval),
    ...(reason === null ? {} : { reason }),
    ...(fix === null ? {} : { fix }),
    span,
  };
}

function pauseOf(id: string, digest: string, reason: string | null, approval: ApprovalTerms): PauseReason {
  return { id: `budget:${id}`, digest, reason: reason ?? "This call would go beyond a budget.", approval };
}

/** Whatever goes wrong inside is a claim that denies. */
function guarded(frame: BudgetFrame, claim: () => BudgetClaim | null): BudgetClaim | null {
  try {
    return claim();
  } catch {
    return faulty(frame, "the budget could not be evaluated");
  }
}

/** A unit that a call may choose must be a known one: of a made-up one the pot would be new and empty. */
function unitOfValue(value: CelValue): string | Faulty {
  if (typeof value !== "string") return new Faulty("the unit of the budget is no text");
  return isKnownUnit(value) ? value : new Faulty("the unit of the budget is none that is known");
}

type Program = () => CelProgram;

function programOf(expression: ExpressionModel, env: CelEnv): Program {
  let program: CelProgram | undefined;
  return () => {
    program ??= compileCel(expression.expr, env);
    return program;
  };
}

function evaluated<Result>(
  program: Program,
  variables: Variables,
  read: (value: CelValue) => Result | Faulty,
): Result | Faulty {
  try {
    return read(program().evaluate(variables));
  } catch (error) {
    if (error instanceof CelError) return new Faulty(error.message);
    throw error;
  }
}

function namesOf({ condition, unit, key }: BudgetModel, sum: ExpressionModel | null): readonly string[] {
  const expressions = [condition, typeof unit === "string" ? null : unit, sum, ...key];
  return [...new Set(expressions.flatMap((one) => (one === null ? [] : [...namesIn(one.expr)])))];
}

function callerMatcher({ budget, environments: declared }: BudgetFrame): (caller: Caller) => boolean {
  const { scope } = budget;
  const agents: Matcher | null = nameMatcher(scope.agents);
  const environments = scope.environments === null ? null : new Set(scope.environments);
  const { principals } = scope;
  return ({ agent, environment, principal }) => {
    // An undeclared environment is judged by the strictest: every environment's budgets count there.
    if (environments !== null && declared.has(environment) && !environments.has(environment)) return false;
    if (agents !== null && !agents(agent)) return false;
    return principals === null || principalInScope(principals, principal);
  };
}
