/** What of the limits decides, as JSON for digests: not its spelling, and not any order. */
import { formatDecimal, parseDecimal } from "../../value/decimal.ts";
import { canonicalJson } from "../../value/json.ts";
import { printCel } from "../cel/index.ts";
import type { ExpressionModel } from "../model.ts";
import type { BudgetModel, DetectorEntry } from "./model.ts";

/** Every expression of a budget. */
export function expressionsOf({
  condition,
  unit,
  sum,
  key,
}: BudgetModel): readonly Pick<ExpressionModel, "text" | "expr">[] {
  const sums = sum === null ? [] : "expr" in sum ? [sum] : [...sum.values()];
  return [...(condition === null ? [] : [condition]), ...(typeof unit === "string" ? [] : [unit]), ...sums, ...key];
}

export function budgetJson(budget: BudgetModel): unknown {
  const { span: _span, scope, models, condition, sum, unit, key, limit, ...plain } = budget;
  return {
    ...plain,
    scope: scopeJson(scope),
    models: models === null ? null : [...new Set(models)].sort(),
    when: condition === null ? null : printCel(condition.expr),
    sum: sumJson(sum),
    unit: typeof unit === "string" ? { word: unit } : { cel: printCel(unit.expr) },
    key: key.map(({ expr }) => printCel(expr)),
    limit: formatDecimal(parseDecimal(limit, DIGITS) ?? 0n, DIGITS),
  };
}

/** `5.0` and `5.00` are one limit. */
const DIGITS = 6;

function sumJson(sum: BudgetModel["sum"]): unknown {
  if (sum === null) return null;
  if ("expr" in sum) return printCel(sum.expr);
  return Object.fromEntries([...sum].map(([tool, { expr }]: [string, ExpressionModel]) => [tool, printCel(expr)]));
}

/** The whole list: no order of its entries matters. */
export function detectorsJson(entries: readonly DetectorEntry[]): unknown {
  return entries
    .map(({ scope, settings }) => canonicalJson({ scope: scopeJson(scope), settings: settingsJson(settings) }))
    .sort();
}

function scopeJson(scope: object): unknown {
  return Object.fromEntries(
    Object.entries(scope).map(([key, list]: [string, readonly string[] | null]) => [
      key,
      list === null ? null : [...new Set(list)].sort(),
    ]),
  );
}

function settingsJson(settings: DetectorEntry["settings"]): unknown {
  const detectors = Object.entries(settings).map(([name, fields]): [string, unknown] => [
    name,
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, typeof value === "bigint" ? String(value) : value]),
    ),
  ]);
  return Object.fromEntries(detectors);
}
