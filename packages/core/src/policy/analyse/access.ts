/**
 * Who may call what: for a tool, an agent and an environment every answer that the rules have, each shown by a call that
 * they were really asked about. Complete where every condition compares arguments with constants; where not, `incomplete`
 * says so. What schemas and bound arguments refuse before any rule is no answer of a rule, and is left out.
 */
import type { Verdict } from "../../decision.ts";
import type { JsonObject } from "../../value/json.ts";
import { isGlob } from "../glob.ts";
import type { PolicyModel, RuleModel } from "../model.ts";
import { calls, cellsOf, TOO_MANY } from "./cells.ts";
import { STRICTNESS } from "./findings.ts";
import { RulesByTool, Tools } from "./scope.ts";
import { callWith, principalNamed, type Setting } from "./search.ts";
import { exampleJson, Trial } from "./trial.ts";

export interface AccessAnswer {
  /** What binds. */
  readonly verdict: Verdict;
  /** The rules that decide so, or `unmatched:ENV`. */
  readonly by: readonly string[];
  /** Where something only observes: what would bind if it were enforced. */
  readonly would?: { readonly verdict: Verdict; readonly by: readonly string[] };
  /** An id or `role:NAME`, where only somebody so named was found to get this answer. */
  readonly principal?: string;
  /** In the form of a line for `saferun eval`. */
  readonly example: JsonObject;
}

export interface ToolAccess {
  readonly tool: string;
  readonly environment: string;
  readonly agent: string;
  /** From the freest to the strictest; what several rules decide together is left out where fewer of them do as well. */
  readonly answers: readonly AccessAnswer[];
}

export interface PolicyAccess {
  /** In the order of what was asked: by agent and environment, then by tool. */
  readonly access: readonly ToolAccess[];
  /** Tools of which an answer may have been missed, and why. */
  readonly incomplete: readonly { readonly tool: string; readonly why: string }[];
}

export interface AccessQuestion {
  readonly callers: readonly { readonly agent: string; readonly environment: string }[];
  readonly tools: readonly string[];
}

/** Whom and what the policies name, globs aside: those one may want to ask about. */
export function namedIn(model: PolicyModel): { readonly agents: readonly string[]; readonly tools: readonly string[] } {
  const distinct = (names: readonly string[]) => [...new Set(names)].filter((name) => !isGlob(name)).sort();
  return {
    agents: distinct(model.rules.flatMap(({ scope }) => scope.agents ?? [])),
    tools: distinct([
      ...model.tools.map(({ name }) => name),
      ...model.framework.keys(),
      ...model.rules.flatMap(({ scope }) => scope.tools ?? []),
    ]),
  };
}

/** Calls that are asked about for one tool and caller, and for all of them. */
const MOST_CALLS_OF_A_CALLER = 2_000;
const MOST_CALLS = 50_000;
/** Rules of one tool of which the boundaries are looked at: what they come to grows with their square. */
const MOST_RULES = 500;
/** Rules of one tool may be many; who looks for one of them reads the rules. */
const MOST_ANSWERS = 12;

/** Pure and total. The model was checked without errors. */
export function accessOf(model: PolicyModel, { callers, tools: names }: AccessQuestion): PolicyAccess {
  const tools = new Tools(model);
  const index = new RulesByTool(model.rules, tools);
  const trial = new Trial(model);
  const environments = new Set(callers.map(({ environment }) => environment)).size;
  const share = (askers: number) => Math.ceil(MOST_CALLS / Math.max(1, names.length * askers));
  const most = { told: share(callers.length), alike: share(environments) };
  const incomplete: { tool: string; why: string }[] = [];
  const byTool = new Map(
    names.map((tool) => {
      const asker = new Asker({ model, tools, index, trial }, tool, most);
      incomplete.push(...asker.gaps.map((why) => ({ tool, why })));
      return [tool, asker] as const;
    }),
  );
  const access = callers.flatMap(({ agent, environment }) =>
    [...byTool].map(([tool, asker]) => ({ tool, environment, agent, answers: asker.answers(agent, environment) })),
  );
  return { access, incomplete };
}

interface Policies {
  readonly model: PolicyModel;
  readonly tools: Tools;
  readonly index: RulesByTool;
  readonly trial: Trial;
}

/** Asks about one tool. */
class Asker {
  readonly gaps: readonly string[];
  readonly #policies: Policies;
  readonly #tool: string;
  readonly #rules: readonly RuleModel[];
  readonly #calls: ReturnType<typeof calls>;
  /** Some rule tells agents apart. */
  readonly #tells: boolean;
  readonly #known = new Map<string, readonly AccessAnswer[]>();

  constructor(policies: Policies, tool: string, most: { readonly told: number; readonly alike: number }) {
    this.#policies = policies;
    this.#tool = tool;
    const { model, tools, index } = policies;
    this.#rules = index.of(tool);
    const bound = tools.facts(tool).binds.map(({ value }) => value.expr);
    const read = this.#rules.slice(0, MOST_RULES);
    const cells = cellsOf([{ rules: read, constants: model.constants }], bound);
    this.#tells = cells.agents.length > 0 || this.#rules.some(({ scope }) => scope.agents !== null);
    this.#calls = calls(cells.dimensions, Math.min(MOST_CALLS_OF_A_CALLER, this.#tells ? most.told : most.alike));
    const complete = this.#calls.complete && read.length === this.#rules.length;
    this.gaps = [...cells.gaps, ...(complete ? [] : [TOO_MANY])];
  }

  answers(agent: string, environment: string): readonly AccessAnswer[] {
    const key = this.#tells ? `${environment}\u0001${agent}` : environment;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = new Map<string, AccessAnswer>();
    for (const principal of [undefined, ...this.#principals()]) this.#ask({ agent, environment, principal }, found);
    const answers = fewest([...found.values()]).sort(freestFirst);
    this.#known.set(key, answers.slice(0, MOST_ANSWERS));
    return this.answers(agent, environment);
  }

  /** Whom some rule names: the others get what somebody unnamed gets. */
  #principals(): readonly string[] {
    return [...new Set(this.#rules.flatMap(({ scope }) => scope.principals ?? []))].sort();
  }

  #ask(
    { agent, environment, principal }: { agent: string; environment: string; principal: string | undefined },
    found: Map<string, AccessAnswer>,
  ): void {
    const { tools, trial } = this.#policies;
    const who = principal === undefined ? {} : { principal: principalNamed(principal) };
    const setting: Setting = { tool: this.#tool, env: environment, agent, ...who };
    const schema = tools.facts(this.#tool).schema?.schema ?? null;
    for (const cell of this.#calls.all()) {
      const call = callWith(setting, cell, schema);
      const decision = call === undefined ? undefined : trial.decide(call);
      if (call === undefined || decision === undefined) continue;
      const { verdict, by, would } = decision;
      const key = JSON.stringify([verdict, by, would?.verdict, would?.by]);
      if (found.has(key)) continue;
      found.set(key, {
        verdict,
        by,
        ...(would === undefined ? {} : { would: { verdict: would.verdict, by: would.by } }),
        ...(principal === undefined ? {} : { principal }),
        example: exampleJson(call, false),
      });
    }
  }
}

function freestFirst(a: AccessAnswer, b: AccessAnswer): number {
  const [one, other] = [a.would?.verdict ?? a.verdict, b.would?.verdict ?? b.verdict];
  return STRICTNESS[a.verdict] - STRICTNESS[b.verdict] || STRICTNESS[one] - STRICTNESS[other];
}

/** Without those that others of the same kind already explain with fewer rules. */
function fewest(answers: readonly AccessAnswer[]): AccessAnswer[] {
  const explains = (one: AccessAnswer, other: AccessAnswer) =>
    one.verdict === other.verdict &&
    one.would?.verdict === other.would?.verdict &&
    rulesOf(one).length < rulesOf(other).length &&
    rulesOf(one).every((rule) => rulesOf(other).includes(rule));
  return answers.filter((other) => !answers.some((one) => explains(one, other)));
}

function rulesOf({ by, would }: AccessAnswer): readonly string[] {
  return would?.by ?? by;
}
