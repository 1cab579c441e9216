/** Rules without any part in a verdict: `unreachable`, `shadowed`, `conflict`, `redundant`. One finding a rule, the first of these. */
import { compareText } from "../issue.ts";
import type { RuleModel } from "../model.ts";
import { type Analysis, conditionsOf, type Finding, named, STRICTNESS } from "./findings.ts";
import { ALWAYS, ERROR, FALSE, isWithin, meet, type Region, TRUE } from "./region.ts";
import { sameScope, scopeCovers } from "./scope.ts";
import { matchOf, verdictOf } from "./trial.ts";
import { intersect, isEmpty, isSubset } from "./value-set.ts";

/** Comparisons of rules with rules; beyond, the rest is not compared. Only thousands of rules on one tool get there. */
const MOST_COMPARISONS = 4_000_000;

export function deadRules(analysis: Analysis): readonly Finding[] {
  return new DeadRules(analysis).all();
}

class DeadRules {
  readonly #analysis: Analysis;
  readonly #redundant = new Set<RuleModel>();
  #left = MOST_COMPARISONS;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  /** From the last rule to the first: of two that say the same, the later one is the redundant one. */
  all(): readonly Finding[] {
    const rules = this.#analysis.model.rules
      .filter((rule) => !rule.observe)
      .reverse()
      .sort(
        (a, b) => compareText(b.span.file, a.span.file) || b.span.line - a.span.line || b.span.column - a.span.column,
      );
    return rules.flatMap((rule) => this.#finding(rule) ?? []);
  }

  #finding(rule: RuleModel): Finding | undefined {
    if (this.#analysis.search.toolOf(rule.scope) === undefined) return this.#noTool(rule);
    const matches = this.#analysis.claims.scoped(rule, TRUE);
    if (matches === null) return undefined;
    if (matches.length === 0) return this.#neverTrue(rule);
    const around = this.#around(rule);
    return (
      this.#overruled(rule, matches, around) ??
      this.#clash(rule, matches, around) ??
      this.#repeated(rule, matches, around)
    );
  }

  /** Other rules that speak of every call this rule speaks of. */
  #around(rule: RuleModel): readonly RuleModel[] {
    const { index, tools, model } = this.#analysis;
    const others = index.around(rule.scope);
    this.#left -= others.length;
    if (this.#left < 0) return [];
    return others.filter(
      (other) => other !== rule && !other.observe && scopeCovers(other.scope, rule.scope, tools, model),
    );
  }

  #noTool(rule: RuleModel): Finding | undefined {
    const { search, model } = this.#analysis;
    const tool =
      rule.scope.tools?.find((name) => !name.includes("*")) ?? model.tools[0]?.name.replaceAll("*", "x") ?? "any_tool";
    const setting = search.settingOf(rule, tool);
    if (setting === undefined) return undefined;
    const example = search.find(setting, ALWAYS, [], (decision) => matchOf(decision, rule.id) === "false");
    const message = "no tool is in the scope of this rule: its `tool`, `kind` and `label` never fit together";
    return example && { code: "unreachable", span: rule.span, rule, message, example };
  }

  #neverTrue(rule: RuleModel): Finding | undefined {
    const { claims, search } = this.#analysis;
    const setting = search.settingOf(rule);
    const failing = claims.scoped(rule, ERROR);
    const elsewhere = claims.scoped(rule, FALSE);
    if (setting === undefined) return undefined;
    const regions = [...(elsewhere ?? []), ...(failing ?? [])];
    const example = search.find(
      setting,
      regions,
      conditionsOf(rule),
      (decision) => matchOf(decision, rule.id) !== "true",
    );
    const only = rule.verdict === "allow" || failing?.length === 0 ? "" : "; it only matches where the condition fails";
    return (
      example && {
        code: "unreachable",
        span: rule.span,
        rule,
        message: `the condition can never be true${only}`,
        example,
      }
    );
  }

  /** Stricter rules match wherever this one does. */
  #overruled(rule: RuleModel, matches: readonly Region[], around: readonly RuleModel[]): Finding | undefined {
    if (rule.verdict === "deny") return undefined;
    const { claims, search, model, tools } = this.#analysis;
    const allows = rule.verdict === "allow" && !rule.asks;
    const used = coveredBy(
      matches,
      around,
      (other, region) =>
        isWithinAny(region, claims.denies(other)) || (allows && isWithinAny(region, claims.asks(other))),
    );
    if (used === null) return undefined;
    const setting = search.settingOf(rule);
    if (setting === undefined) return undefined;
    const regions = this.#analysis.undisturbed(matches, setting.tool, [rule, ...used]);
    const own = STRICTNESS[allows ? "allow" : "pause"];
    const example = search.find(setting, regions, conditionsOf(rule, ...used), (decision) => {
      const decides = used.some((other) => matchOf(decision, other.id) !== "false" || other.otherwise !== null);
      return matchOf(decision, rule.id) === "true" && STRICTNESS[verdictOf(decision)] > own && decides;
    });
    if (example === undefined) return undefined;
    const [only] = used;
    const same =
      used.length === 1 &&
      only !== undefined &&
      only.verdict !== "allow" &&
      sameScope(rule.scope, only.scope, tools, model);
    const back = same ? claims.regions(only, TRUE) : null;
    const who = used.map(named).join(", ");
    if (back !== null && back.length > 0 && back.every((region) => matches.some((own) => isWithin(region, own)))) {
      const message = `this rule and ${who} match the same calls and contradict each other; the stricter one wins`;
      return { code: "conflict", span: rule.span, rule, message, example };
    }
    const message = `this rule never decides: wherever it matches, ${who} ${used.length === 1 ? "is" : "are"} stricter`;
    return { code: "shadowed", span: rule.span, rule, message, example };
  }

  /** Two rules about the same arguments whose bounds run across each other: a limit that is written down but not in force. */
  #clash(rule: RuleModel, matches: readonly Region[], around: readonly RuleModel[]): Finding | undefined {
    if (rule.verdict === "deny") return undefined;
    const { claims, search, tools, model } = this.#analysis;
    const own = STRICTNESS[rule.asks ? "pause" : rule.verdict];
    for (const other of around) {
      if (other.verdict === "allow" || STRICTNESS[other.verdict] <= own) continue;
      const crossing = crossings(matches, claims.regions(other, TRUE) ?? []);
      if (crossing.length === 0 || !sameScope(rule.scope, other.scope, tools, model)) continue;
      const setting = search.settingOf(rule);
      const example =
        setting &&
        search.find(setting, crossing, conditionsOf(rule, other), (decision) =>
          [rule, other].every((one) => matchOf(decision, one.id) === "true"),
        );
      if (example === undefined) continue;
      const says = other.verdict === "deny" ? "denies" : "pauses";
      const message = `the bounds of this rule run across those of ${named(other)}, which ${says} calls that this rule is made for`;
      return { code: "conflict", span: rule.span, rule, message, example };
    }
    return undefined;
  }

  /** Other rules say the same wherever this one speaks. */
  #repeated(rule: RuleModel, matches: readonly Region[], around: readonly RuleModel[]): Finding | undefined {
    if (rule.otherwise !== null || rule.asks) return undefined;
    const { claims, search } = this.#analysis;
    const alike = around.filter((other) => other.verdict === rule.verdict && !this.#redundant.has(other));
    if (alike.length === 0) return undefined;
    const outcomes = rule.verdict === "deny" ? TRUE | ERROR : TRUE;
    const speaks = outcomes === TRUE ? matches : claims.scoped(rule, outcomes);
    const used =
      speaks &&
      coveredBy(
        speaks,
        alike,
        (other, region) =>
          isWithinAny(region, claims.regions(other, outcomes)) &&
          saysTheSame(rule, other) &&
          this.#failsAlike(rule, other),
      );
    const setting = used === null ? undefined : search.settingOf(rule);
    if (used === null || setting === undefined) return undefined;
    const example = search.find(setting, matches, conditionsOf(rule), (decision) =>
      [rule, ...used].every((one, index) => index > 1 || matchOf(decision, one.id) === "true"),
    );
    if (example === undefined) return undefined;
    this.#redundant.add(rule);
    const message = `this rule changes no verdict: wherever it speaks, ${used.map(named).join(", ")} ${used.length === 1 ? "says" : "say"} the same`;
    return { code: "redundant", span: rule.span, rule, message, example };
  }

  /** A pause that fails restricts; the other one must then speak as well. */
  #failsAlike(rule: RuleModel, other: RuleModel): boolean {
    if (rule.verdict !== "pause") return true;
    const { claims } = this.#analysis;
    const mine = claims.scoped(rule, TRUE | ERROR);
    const theirs = claims.regions(other, TRUE | ERROR);
    if (mine === null || theirs === null) return false;
    return mine.every((region) => isWithinAny(region, theirs));
  }
}

/** The rules that together cover all regions, or null. */
function coveredBy(
  regions: readonly Region[],
  others: readonly RuleModel[],
  covers: (other: RuleModel, region: Region) => boolean,
): readonly RuleModel[] | null {
  const used: RuleModel[] = [];
  for (const region of regions) {
    const cover = others.find((other) => covers(other, region));
    if (cover === undefined) return null;
    if (!used.includes(cover)) used.push(cover);
  }
  return used;
}

function isWithinAny(region: Region, regions: readonly Region[] | null): boolean {
  return regions?.some((outer) => isWithin(region, outer)) === true;
}

/** What may differ between two rules of which one is redundant. */
const APART: ReadonlySet<string> = new Set(["id", "span", "scope", "condition", "reason", "fix", "otherwise"]);

/** The same verdict with all that goes with it, and no words of its own that would be lost. */
function saysTheSame(rule: RuleModel, other: RuleModel): boolean {
  const lost = (mine: string | null, theirs: string | null) => mine !== null && mine !== theirs;
  if (lost(rule.reason, other.reason) || lost(rule.fix, other.fix)) return false;
  return effectOf(rule) === effectOf(other);
}

function effectOf(rule: RuleModel): string {
  // The terms of an allow rule belong to its `else`, which a rule that may be redundant does not have.
  const shown = rule.verdict === "allow" && !rule.asks ? { ...rule, approval: null } : rule;
  return JSON.stringify(shown, (key, value: unknown) => (APART.has(key) ? undefined : value));
}

function crossings(mine: readonly Region[], theirs: readonly Region[]): readonly Region[] {
  const found: Region[] = [];
  for (const one of mine) {
    for (const other of theirs) {
      const both = crossed(one, other);
      if (both !== undefined) found.push(both);
    }
  }
  return found;
}

/** Where two regions overlap although on some place each goes beyond the other; only where `theirs` asks about nothing else. */
function crossed(mine: Region, theirs: Region): Region | undefined {
  if (theirs.size === 0) return undefined;
  let across = false;
  for (const { place, values } of theirs.values()) {
    const own = mine.get(place.key);
    if (own === undefined || place.kind === "opaque") return undefined;
    if (isSubset(own.values, values) || isSubset(values, own.values)) continue;
    if (isEmpty(intersect(own.values, values))) return undefined;
    // A list of exceptions from "everything but" is how exceptions are written.
    if (own.values.texts.outside || own.values.numbers.length > 1) return undefined;
    across = true;
  }
  const both = across ? meet(mine, theirs) : undefined;
  return both;
}
