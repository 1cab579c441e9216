/** Rules that let more pass than they seem to: `unbounded`, `switched-off`, `float-equality`, `empty-list`; and `clamp-optional`, the opposite. */
import { type Binary, childrenOf, type Expr, type Macro } from "../cel/ast.ts";
import { printCel } from "../cel/print.ts";
import { quote } from "../issue.ts";
import type { RuleModel } from "../model.ts";
import { constantValue, plainPath } from "./atom.ts";
import { readPath } from "./candidates.ts";
import { type Analysis, conditionsOf, type Finding, pathText, STRICTNESS } from "./findings.ts";
import { ALWAYS, product, type Region, TRUE } from "./region.ts";
import { argumentOf, withArgument } from "./search.ts";
import { type ExampleCall, matchOf, verdictOf } from "./trial.ts";
import { intersect, interval, isEmpty, numbers, type ValueSet } from "./value-set.ts";

export function looseRules(analysis: Analysis): readonly Finding[] {
  const found: Finding[] = [];
  // A constant may be a fraction, or hold one.
  const named = [...analysis.model.constants.values()].some(
    (value) => typeof value === "number" || Array.isArray(value),
  );
  for (const rule of analysis.model.rules) {
    const { condition } = rule;
    if (rule.observe) continue;
    if (rule.changes.length > 0) found.push(...clamps(analysis, rule));
    if (condition === null) continue;
    const parts = named || analysis.mayHold(rule, TELLING) ? tellingParts(condition.expr, []) : [];
    found.push(...fractions(analysis, rule, parts));
    if (rule.verdict === "allow") found.push(...unbounded(analysis, rule), ...emptyLists(analysis, rule, parts));
    else found.push(...switchedOff(analysis, rule, parts));
  }
  return found;
}

/** `has(`, `.?`, `all(`, a fraction, and a text before `in`. */
const TELLING = /\bhas\s*\(|\?|\ball\s*\(|\d\.|\.\d|["']\s*in\b/;

/** The parts of an expression that any of these analyses asks about. Most conditions have none. */
function tellingParts(expr: Expr, into: Expr[]): readonly Expr[] {
  if (isTelling(expr)) into.push(expr);
  for (const child of childrenOf(expr)) tellingParts(child, into);
  return into;
}

function isTelling(expr: Expr): boolean {
  switch (expr.kind) {
    case "has":
      return true;
    case "macro":
      return expr.macro === "all";
    case "select":
    case "index":
      return expr.optional;
    case "binary":
      return expr.operator === "==" || expr.operator === "!=" || expr.operator === "in";
    default:
      return false;
  }
}

const BELOW_ZERO = numbers(interval(Number.NEGATIVE_INFINITY, 0, false, true));

/** An upper bound and no lower one: minus a million is within the limit. */
function unbounded(analysis: Analysis, rule: RuleModel): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const region of analysis.claims.scoped(rule, TRUE) ?? []) {
    for (const { place, values } of region.values()) {
      const { key } = place;
      if (!boundedAboveOnly(values) || place.kind !== "path" || place.path[0] !== "args" || found.has(key)) continue;
      const below = intersect(values, BELOW_ZERO);
      const setting = analysis.search.settingOf(rule);
      if (isEmpty(below) || setting === undefined) continue;
      const narrowed = new Map(region).set(key, { place, values: below });
      const calls = analysis.undisturbed([narrowed], setting.tool, [rule]);
      const example = analysis.search.find(
        setting,
        calls,
        conditionsOf(rule),
        (decision) => matchOf(decision, rule.id) === "true" && verdictOf(decision) === "allow",
      );
      if (example === undefined) continue;
      const message = `${pathText(place.path)} has an upper bound and no lower one, so that a number below zero is allowed; add one such as ${quote(`${place.path.join(".")} > 0`)}`;
      found.set(key, { code: "unbounded", span: rule.span, rule, message, example });
    }
  }
  return [...found.values()];
}

function boundedAboveOnly({ numbers: intervals }: ValueSet): boolean {
  const last = intervals.at(-1);
  return intervals[0]?.low === Number.NEGATIVE_INFINITY && last !== undefined && Number.isFinite(last.high);
}

/** `all` of nothing is true. */
function emptyLists(analysis: Analysis, rule: RuleModel, parts: readonly Expr[]): readonly Finding[] {
  const lists = parts.flatMap((part) => (part.kind === "macro" && part.macro === "all" ? listOf(part) : []));
  const setting = lists.length === 0 ? undefined : analysis.search.settingOf(rule);
  const regions = analysis.claims.scoped(rule, TRUE) ?? ALWAYS;
  if (setting === undefined) return [];
  return unique(lists).flatMap((path): readonly Finding[] => {
    let example: ExampleCall | undefined;
    const calls = analysis.undisturbed(regions, setting.tool, [rule]);
    analysis.search.find(setting, calls, conditionsOf(rule), (_decision, call) => {
      const empty = withArgument(call, path, []);
      const decision = analysis.search.decide(empty);
      if (decision === undefined || matchOf(decision, rule.id) !== "true" || verdictOf(decision) === "deny")
        return false;
      example = empty;
      return true;
    });
    if (example === undefined) return [];
    const message = `\`all\` over ${pathText(path)} is true of an empty list; add ${quote(`size(${path.join(".")}) > 0`)}`;
    return [{ code: "empty-list", span: rule.span, rule, message, example }];
  });
}

function listOf({ range }: Macro): readonly (readonly string[])[] {
  const path = plainPath(range);
  return path !== null && path[0] === "args" && path.length > 1 ? [path] : [];
}

function unique(paths: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(paths.map((path) => [path.join("\u0001"), path])).values()];
}

/** Leaving an argument out makes the rule not match, and the call gets a milder answer. */
function switchedOff(analysis: Analysis, rule: RuleModel, parts: readonly Expr[]): readonly Finding[] {
  const tested = unique(parts.flatMap(testedPath));
  if (tested.length === 0) return [];
  const { search, claims, index } = analysis;
  const setting = search.settingOf(rule);
  if (setting === undefined) return [];
  const matches = claims.scoped(rule, TRUE) ?? ALWAYS;
  const others = index.of(setting.tool).filter((other) => other !== rule && !other.observe && other.verdict !== "deny");
  const permitted = others.flatMap((other) => product([matches, claims.regions(other, TRUE)]) ?? []);
  const alone = others.length === 0 && !mayRunUnmatched(analysis, setting.tool);
  const calls = analysis.undisturbed([...permitted, ...matches].slice(0, 64), setting.tool, [rule, ...others]);
  return tested.flatMap((path): readonly Finding[] => {
    let example: ExampleCall | undefined;
    search.find(setting, calls, conditionsOf(rule, ...others.slice(0, 8)), (decision, call) => {
      if (matchOf(decision, rule.id) !== "true" || argumentOf(call, path) === undefined) return false;
      const without = withArgument(call, path, undefined);
      const then = search.decide(without);
      if (then === undefined || matchOf(then, rule.id) !== "false") return false;
      if (!alone && STRICTNESS[verdictOf(then)] >= STRICTNESS[verdictOf(decision)]) return false;
      example = without;
      return true;
    });
    if (example === undefined) return [];
    const says = rule.verdict === "deny" ? "denies" : "asks";
    const message = `this rule no longer ${says} when ${pathText(path)} is left out; without the test an absent argument makes it match`;
    return [{ code: "switched-off", span: rule.span, rule, message, example }];
  });
}

export function mayRunUnmatched({ model, tools }: Analysis, tool: string): boolean {
  const { kind } = tools.facts(tool);
  return [...model.environments.values()].some((environment) => environment.unmatched[kind] === "allow");
}

/** `has(args.x)`, `args.?x`, `"x" in args`. */
function testedPath(expr: Expr): readonly (readonly string[])[] {
  let path: readonly string[] | null = null;
  if (expr.kind === "has") path = [...(plainPath(expr.operand) ?? []), expr.field];
  else if ((expr.kind === "select" || expr.kind === "index") && expr.optional) path = readPath(expr);
  else if (expr.kind === "binary" && expr.operator === "in" && expr.left.kind === "literal") {
    const map = plainPath(expr.right);
    if (map !== null && typeof expr.left.value === "string") path = [...map, expr.left.value];
  }
  return path !== null && path[0] === "args" && path.length > 1 ? [path] : [];
}

/** A clamp of what is not there fails, and the call is denied: rarely meant for an argument that may be left out. */
function clamps(analysis: Analysis, rule: RuleModel): readonly Finding[] {
  const { search, claims } = analysis;
  const setting = search.settingOf(rule);
  if (setting === undefined) return [];
  const regions = analysis.undisturbed(claims.scoped(rule, TRUE) ?? ALWAYS, setting.tool, [rule]);
  return rule.changes.flatMap((change): readonly Finding[] => {
    if (change.kind !== "clamp" || change.missing !== "error") return [];
    const path = ["args", ...change.path];
    let example: ExampleCall | undefined;
    search.find(setting, regions, conditionsOf(rule), (_decision, call) => {
      const there = search.decide(withArgument(call, path, change.max ?? change.min ?? 0));
      const without = withArgument(call, path, undefined);
      const absent = search.decide(without);
      if (there === undefined || absent === undefined || verdictOf(there) === "deny") return false;
      if (matchOf(there, rule.id) !== "true" || verdictOf(absent) !== "deny") return false;
      if (matchOf(absent, rule.id) !== "true") return false;
      example = without;
      return true;
    });
    if (example === undefined) return [];
    const message = `a call that leaves ${pathText(path)} out is denied, because there is nothing to clamp; add \`missing: set\`, or ask for it in the condition`;
    return [{ code: "clamp-optional", span: rule.span, rule, message, example }];
  });
}

/** The next number is another one, and looks the same to people. */
function fractions(analysis: Analysis, rule: RuleModel, parts: readonly Expr[]): readonly Finding[] {
  const { search, claims } = analysis;
  return parts.flatMap((part): readonly Finding[] => {
    const compared = part.kind === "binary" ? fractionIn(part, analysis) : undefined;
    const setting = compared === undefined ? undefined : search.settingOf(rule);
    if (compared === undefined || setting === undefined) return [];
    const { path, value } = compared;
    const beside = value + Math.max(Math.abs(value), Number.MIN_VALUE) * Number.EPSILON;
    let example: ExampleCall | undefined;
    const regions: readonly Region[] = [...(claims.scoped(rule, TRUE) ?? []), ...ALWAYS];
    search.find(setting, regions, [part, ...conditionsOf(rule)], (_decision, call) => {
      const exact = search.decide(withArgument(call, path, value));
      const near = withArgument(call, path, beside);
      const other = search.decide(near);
      if (exact === undefined || other === undefined || matchOf(exact, rule.id) === matchOf(other, rule.id))
        return false;
      example = near;
      return true;
    });
    if (example === undefined) return [];
    const message = `${quote(printCel(part))} compares fractions exactly, and ${beside} is another number than ${value}; count in whole units, or compare with bounds`;
    return [{ code: "float-equality", span: rule.span, rule, message, example }];
  });
}

function fractionIn({ operator, left, right }: Binary, { model }: Analysis) {
  if (operator !== "==" && operator !== "!=" && operator !== "in") return undefined;
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const constant = constantValue(other, model.constants);
    if (constant === undefined) continue;
    const path = plainPath(side);
    const list = Array.isArray(constant) ? constant : [constant];
    const value = list.find((item) => typeof item === "number" && !Number.isInteger(item));
    if (path !== null && path[0] === "args" && path.length > 1 && typeof value === "number") return { path, value };
  }
  return undefined;
}
