/**
 * Two policy sets side by side: which calls get another answer. Every difference is shown by a call that both sets were
 * really asked about. Complete where every condition compares arguments with constants; where not, `incomplete` says so.
 */
import type { Decision, Verdict } from "../../decision.ts";
import type { JsonObject } from "../../value/json.ts";
import { canonicalJson } from "../../value/json.ts";
import { printCel } from "../cel/print.ts";
import { isGlob } from "../glob.ts";
import { compareText } from "../issue.ts";
import type { PolicyModel, RuleModel } from "../model.ts";
import type { Schema } from "../schema/types.ts";
import { type Assignment, type Cells, calls, cellsOf, TOO_MANY } from "./cells.ts";
import { diffSettings, type SettingDifference } from "./diff-settings.ts";
import { STRICTNESS } from "./findings.ts";
import { nameFor, RulesByTool, Tools, toolNames } from "./scope.ts";
import { callWith, principalNamed, type Setting } from "./search.ts";
import { exampleJson, Trial } from "./trial.ts";

export interface PolicyDifference {
  readonly tool: string;
  readonly environment: string;
  /** Where the rules of the tool tell agents apart. */
  readonly agent?: string;
  /** Where they tell principals apart: an id or `role:NAME`, as rules write it. */
  readonly principal?: string;
  readonly from: Verdict;
  readonly to: Verdict;
  /** The rules that decided, or `unmatched:ENV`. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** In the form of a line for `saferun eval`. */
  readonly example: JsonObject;
}

export interface PolicyDiff {
  /** By tool, environment, agent, principal, then from the largest gain to the largest loss. */
  readonly differences: readonly PolicyDifference[];
  /** Beside the rules; two sets that answer alike may still differ in these. */
  readonly settings: readonly SettingDifference[];
  /** Tools for which a difference may have been missed, and why. */
  readonly incomplete: readonly { readonly tool: string; readonly why: string }[];
}

/** Calls that are asked about for one tool, and for all of them. */
const MOST_CALLS_OF_A_TOOL = 20_000;
const MOST_CALLS = 400_000;

interface Side {
  readonly model: PolicyModel;
  readonly tools: Tools;
  readonly index: RulesByTool;
  readonly trial: Trial;
}

/** Pure and total. Both models were checked without errors. */
export function diffPolicies(before: PolicyModel, after: PolicyModel): PolicyDiff {
  const sides = [sideOf(before), sideOf(after)] as const;
  const names = new Set([...toolNames(before), ...toolNames(after), "any_tool"]);
  const everywhere = outsideOfRules(before) !== outsideOfRules(after);
  const differences: PolicyDifference[] = [];
  const incomplete: { tool: string; why: string }[] = [];
  let left = MOST_CALLS;
  for (const tool of [...names].sort()) {
    if (!everywhere && textOf(sides[0], tool) === textOf(sides[1], tool)) continue;
    const compared = new Comparison(sides, tool).run(Math.min(left, MOST_CALLS_OF_A_TOOL));
    left -= compared.asked;
    differences.push(...compared.differences);
    for (const why of compared.gaps) incomplete.push({ tool, why });
  }
  return { differences, settings: diffSettings(before, after), incomplete };
}

function sideOf(model: PolicyModel): Side {
  const tools = new Tools(model);
  return { model, tools, index: new RulesByTool(model.rules, tools), trial: new Trial(model) };
}

/** Everything that decides besides rules and tools. */
function outsideOfRules({ environments, constants, context }: PolicyModel): string {
  return canonicalJson({
    environments: [...environments.values()]
      .map(({ name, unmatched, observe }) => ({ name, unmatched, observe }))
      .sort(byName),
    constants: [...constants].sort(([a], [b]) => compareText(a, b)),
    context: [...context].sort(([a], [b]) => compareText(a, b)),
  });
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return compareText(a.name, b.name);
}

/** What a set says of one tool, without places and orders: two equal texts decide alike. */
function textOf({ model, tools, index }: Side, tool: string): string {
  const { kind, labels } = tools.facts(tool);
  const entries = model.tools.filter(({ name }) => name === tool || isGlob(name));
  const rules = index.of(tool).map((rule) => JSON.stringify(ruleText(rule), withoutSpans));
  return JSON.stringify([kind, labels, entries, rules.sort()], withoutSpans);
}

function withoutSpans(key: string, value: unknown): unknown {
  return key === "span" ? undefined : value;
}

function ruleText({ condition, ...rest }: RuleModel): unknown {
  if (condition === null) return rest;
  return { ...rest, condition: condition.opaque === undefined ? printCel(condition.expr) : condition.text };
}

class Comparison {
  readonly #sides: readonly [Side, Side];
  readonly #tool: string;
  readonly #found = new Map<string, PolicyDifference>();
  /** Of the later set, or of the earlier one where that has none. */
  readonly #schema: Schema | null;
  #asked = 0;

  constructor(sides: readonly [Side, Side], tool: string) {
    this.#sides = sides;
    this.#tool = tool;
    const [before, after] = sides.map(({ tools }) => tools.facts(tool).schema?.schema ?? null);
    this.#schema = after ?? before ?? null;
  }

  /** What stands between the arguments and the rules, and is not taken apart here. */
  #gaps(): readonly string[] {
    const facts = this.#sides.map(({ tools }) => tools.facts(this.#tool));
    return [
      ...(facts.some(({ schema, validator }) => schema !== null || validator !== null)
        ? ["its arguments have a schema"]
        : []),
      ...(facts.some(({ binds }) => binds.length > 0) ? ["arguments are bound from the context"] : []),
    ];
  }

  run(most: number) {
    const rules = this.#sides.map(({ index, model }) => ({ rules: index.of(this.#tool), constants: model.constants }));
    const bound = this.#sides.flatMap(({ tools }) => tools.facts(this.#tool).binds.map(({ value }) => value.expr));
    const cells = cellsOf(rules, bound);
    const settings = this.#settings(
      rules.flatMap((side) => side.rules),
      cells,
    );
    const share = Math.floor(most / Math.max(1, settings.length));
    const gaps = new Set([...cells.gaps, ...this.#gaps()]);
    const asked = calls(cells.dimensions, share);
    if (!asked.complete && settings.length > 0) gaps.add(TOO_MANY);
    for (const setting of settings) for (const cell of asked.all()) this.#ask(setting, cell);
    const differences = [...this.#found.values()].sort(inOrder);
    return { differences, gaps: [...gaps], asked: this.#asked };
  }

  /** Everyone whom some rule tells apart, and one whom none names. */
  #settings(rules: readonly RuleModel[], { agents }: Cells): readonly Named[] {
    const environments = new Set(this.#sides.flatMap(({ model }) => [...model.environments.keys()]));
    const named = new Set([...rules.flatMap(({ scope }) => scope.agents ?? []), ...agents]);
    const everyone = named.size === 0 ? [undefined] : [...named].map(nameFor).concat("another_agent");
    const principals = new Set(rules.flatMap(({ scope }) => scope.principals ?? []));
    return [...environments].sort().flatMap((env) =>
      [...new Set(everyone)].flatMap((agent) =>
        [undefined, ...[...principals].sort()].map((principal): Named => {
          const who = principal === undefined ? undefined : principalNamed(principal);
          const setting = { tool: this.#tool, env, agent: agent ?? "agent", ...(who && { principal: who }) };
          return { setting, agent, principal };
        }),
      ),
    );
  }

  #ask(named: Named, cell: readonly Assignment[]): void {
    const call = callWith(named.setting, cell, this.#schema);
    if (call === undefined) return;
    this.#asked++;
    const [from, to] = this.#sides.map(({ trial }) => trial.evaluate(call));
    if (from === undefined || to === undefined || from.verdict === to.verdict) return;
    const key = [named.setting.env, named.agent, named.principal, from.verdict, to.verdict, from.by, to.by].join(
      "\u0001",
    );
    if (this.#found.has(key)) return;
    this.#found.set(key, {
      tool: this.#tool,
      environment: named.setting.env,
      ...(named.agent === undefined ? {} : { agent: named.agent }),
      ...(named.principal === undefined ? {} : { principal: named.principal }),
      ...verdicts(from, to),
      example: exampleJson(call, false),
    });
  }
}

interface Named {
  readonly setting: Setting;
  readonly agent: string | undefined;
  readonly principal: string | undefined;
}

function verdicts(from: Decision, to: Decision): Pick<PolicyDifference, "from" | "to" | "before" | "after"> {
  return { from: from.verdict, to: to.verdict, before: from.by, after: to.by };
}

/** Positive for a gain. */
export function gainOf({ from, to }: Pick<PolicyDifference, "from" | "to">): number {
  return STRICTNESS[from] - STRICTNESS[to];
}

function inOrder(a: PolicyDifference, b: PolicyDifference): number {
  return (
    compareText(a.environment, b.environment) ||
    compareText(a.agent ?? "", b.agent ?? "") ||
    compareText(a.principal ?? "", b.principal ?? "") ||
    gainOf(b) - gainOf(a) ||
    compareText(a.before.join(" "), b.before.join(" ")) ||
    compareText(a.after.join(" "), b.after.join(" "))
  );
}
