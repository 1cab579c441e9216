/** Budgets that limit less, or more, than they seem to: `free-key`, `wider-than-budget`, `other-unit`. */
import { parseDecimal } from "../../value/decimal.ts";
import { scaleOf } from "../../value/unit.ts";
import { pathsMeet } from "../argument-path.ts";
import { plainArgument } from "../argument-reads.ts";
import { quote } from "../issue.ts";
import { expressionsOf } from "../limits/limits-json.ts";
import type { BudgetModel } from "../limits/model.ts";
import { toolInScope } from "../scope.ts";
import { plainPath } from "./atom.ts";
import { type Analysis, conditionsOf, type Finding, named, pathText } from "./findings.ts";
import { ALWAYS, type Region, TRUE } from "./region.ts";
import { type ExampleCall, verdictOf } from "./trial.ts";
import { intersect, interval, isEmpty, numbers } from "./value-set.ts";

export function budgets(analysis: Analysis): readonly Finding[] {
  return analysis.model.budgets
    .filter(({ models }) => models === null)
    .flatMap((budget) => [
      ...freeKeys(analysis, budget),
      ...widerRules(analysis, budget),
      ...otherUnits(analysis, budget),
    ]);
}

/** The tool says that an argument is of one unit, and the budget adds it as another. Only words contradict each other for sure. */
function otherUnits({ search, tools }: Analysis, budget: BudgetModel): readonly Finding[] {
  const { id, sum, unit } = budget;
  const setting = search.settingOf(budget);
  if (setting === undefined || sum === null || typeof unit !== "string") return [];
  const { name, units } = tools.facts(setting.tool);
  const ofTool = "expr" in sum ? sum : sum.get(name);
  const path = ofTool === undefined ? undefined : plainArgument(ofTool.expr);
  const said = units.find((one) => one.path === path)?.unit;
  if (path === undefined || typeof said !== "string" || said === unit) return [];
  const expressions = expressionsOf(budget).map(({ expr }) => expr);
  const example = search.find(setting, ALWAYS, expressions, (_decision, call) =>
    search.claims(call).some((claim) => claim.budget === id && claim.amount !== null),
  );
  if (example === undefined) return [];
  const message = `the budget ${quote(id)} adds ${quote(path)} as ${quote(unit)}, and ${quote(name)} says that it is ${quote(said)}; let both say the same`;
  return [{ code: "other-unit", span: budget.span, rule: null, message, example }];
}

/** The key is an argument that the model chooses: with another value the same act has another pot. */
function freeKeys(analysis: Analysis, budget: BudgetModel): readonly Finding[] {
  const { search, tools } = analysis;
  const setting = search.settingOf(budget);
  if (setting === undefined) return [];
  const { name, binds, traits } = tools.facts(setting.tool);
  const fixed = [
    ...binds.map(({ path }) => path),
    ...(traits.identity ?? []).map((path) => path.replaceAll("[]", "").split(".")),
  ];
  return budget.key.flatMap((key) => {
    const path = plainPath(key.expr);
    if (path === null || path[0] !== "args" || path.length < 2) return [];
    if (fixed.some((other) => pathsMeet(other, path.slice(1)))) return [];
    const expressions = expressionsOf(budget).map(({ expr }) => expr);
    const example = search.find(
      setting,
      ALWAYS,
      expressions,
      (_decision, call) => amountOf(analysis, budget, call) !== null,
    );
    if (example === undefined) return [];
    const message = `the budget ${quote(budget.id)} has a pot for each ${pathText(path)}, which the model chooses; name it under \`identity\` of ${quote(name)}, or bind it`;
    return [{ code: "free-key", span: budget.span, rule: null, message, example } as const];
  });
}

/** An allow rule states a bound that lies above what the whole budget holds: such a call alone never fits. */
function widerRules(analysis: Analysis, budget: BudgetModel): readonly Finding[] {
  const { model, search, tools, claims } = analysis;
  const { sum, unit, limit } = budget;
  if (sum === null || !("expr" in sum) || typeof unit !== "string" || scaleOf(unit) !== 0) return [];
  const path = plainPath(sum.expr);
  const most = Number(parseDecimal(limit, 0) ?? Number.NaN);
  if (path === null || path[0] !== "args" || !Number.isSafeInteger(most)) return [];
  const key = path.join("\u0001");
  const expressions = expressionsOf(budget).map(({ expr }) => expr);
  const above = numbers(interval(most, Number.POSITIVE_INFINITY, true, false));
  return model.rules.flatMap((rule): Finding[] => {
    if (rule.verdict !== "allow" || rule.observe || rule.condition === null) return [];
    const setting = search.settingOf(rule);
    if (setting === undefined || !toolInScope(budget.scope, tools.facts(setting.tool))) return [];
    const regions = (claims.scoped(rule, TRUE) ?? []).flatMap((region): Region[] => {
      // A rule without an upper bound leaves it to the budget.
      const stated = region.get(key);
      if (stated === undefined || !stated.values.numbers.every(({ high }) => Number.isFinite(high))) return [];
      const values = intersect(stated.values, above);
      return isEmpty(values) ? [] : [new Map(region).set(key, { ...stated, values })];
    });
    if (regions.length === 0) return [];
    const example = search.find(setting, regions, [...conditionsOf(rule), ...expressions], (decision, call) => {
      const amount = amountOf(analysis, budget, call);
      return verdictOf(decision) === "allow" && typeof amount === "bigint" && amount > BigInt(most);
    });
    if (example === undefined) return [];
    const message = `${named(rule)} allows more in one call than the budget ${quote(budget.id)} holds in all (${limit}); such a call never runs as the rule says`;
    return [{ code: "wider-than-budget", span: rule.span, rule, message, example }];
  });
}

/** Null where the budget does not count the call, or cannot. */
function amountOf({ search }: Analysis, budget: BudgetModel, call: ExampleCall): bigint | null {
  return search.claims(call).find((claim) => claim.budget === budget.id)?.amount ?? null;
}
