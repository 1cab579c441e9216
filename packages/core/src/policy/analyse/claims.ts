/** What a rule says where: its voices as regions, made once for each condition. */

import type { Expr } from "../cel/ast.ts";
import type { ConditionModel, PolicyModel, RuleModel } from "../model.ts";
import { type Atom, atomOf, type Constants } from "./atom.ts";
import { ALWAYS, ERROR, FALSE, meet, NEVER, type Outcomes, type Region, regionsOf, TRUE } from "./region.ts";
import { texts } from "./value-set.ts";

export class Claims {
  readonly #constants: Constants;
  readonly #environments: readonly string[];
  /** A condition's pieces are the same for every outcome that is asked about. */
  readonly #atoms = new Map<Expr, Atom>();
  readonly #known = new Map<ConditionModel, Map<Outcomes, readonly Region[] | null>>();

  constructor(model: PolicyModel) {
    this.#constants = model.constants;
    this.#environments = [...model.environments.keys()];
  }

  get constants(): Constants {
    return this.#constants;
  }

  /** Where the rule's condition has one of these outcomes; null is "not known". */
  regions(rule: RuleModel, outcomes: Outcomes): readonly Region[] | null {
    if (rule.condition === null) return outcomes & TRUE ? ALWAYS : NEVER;
    // A function of the host may do anything, and two of them may bear one name.
    if (rule.condition.opaque !== undefined) return null;
    let known = this.#known.get(rule.condition);
    if (known === undefined) {
      known = new Map();
      this.#known.set(rule.condition, known);
    }
    let regions = known.get(outcomes);
    if (regions === undefined) {
      regions = regionsOf(rule.condition.expr, outcomes, this.#atomOf);
      known.set(outcomes, regions);
    }
    return regions;
  }

  readonly #atomOf = (expr: Expr): Atom => {
    const atom = this.#atoms.get(expr) ?? atomOf(expr, this.#constants);
    this.#atoms.set(expr, atom);
    return atom;
  };

  /** The same, narrowed to the environments, agents and tools that the rule speaks of, where its condition asks for them. */
  scoped(rule: RuleModel, outcomes: Outcomes): readonly Region[] | null {
    const regions = this.regions(rule, outcomes);
    const reads = rule.condition?.reads.filter((path) => path.length === 1).map(([name]) => name) ?? [];
    if (regions === null || !reads.some((name) => name === "env" || name === "agent" || name === "tool"))
      return regions;
    return regions.flatMap((region) => meet(region, this.#inScope(rule)) ?? []);
  }

  #inScope({ scope }: RuleModel): Region {
    const region = new Map<string, NonNullable<ReturnType<Region["get"]>>>();
    const exact = {
      env: scope.environments ?? this.#environments,
      agent: scope.agents,
      tool: scope.tools,
    };
    for (const [name, list] of Object.entries(exact)) {
      if (list === null || list.some((pattern) => pattern.includes("*"))) continue;
      const { place } = atomOf({ kind: "identifier", name, absolute: true, start: 0, end: 0 }, new Map());
      region.set(place.key, { place, values: texts(list) });
    }
    return region;
  }

  /** Where a rule denies. */
  denies(rule: RuleModel): readonly Region[] | null {
    if (rule.observe) return NEVER;
    if (rule.verdict === "deny") return this.regions(rule, TRUE | ERROR);
    return rule.otherwise === "deny" ? this.regions(rule, FALSE | ERROR) : NEVER;
  }

  /** Where a rule surely asks a person, and by that permits the call. */
  asks(rule: RuleModel): readonly Region[] | null {
    if (rule.observe) return NEVER;
    if (rule.verdict === "pause" || rule.asks) return this.regions(rule, TRUE);
    return rule.otherwise === "pause" ? this.regions(rule, FALSE | ERROR) : NEVER;
  }

  /** Where a rule neither denies nor asks. */
  silent(rule: RuleModel): readonly Region[] | null {
    if (rule.observe) return ALWAYS;
    if (rule.verdict !== "allow") return this.regions(rule, FALSE);
    if (rule.otherwise === null) return rule.asks ? this.regions(rule, FALSE | ERROR) : ALWAYS;
    return rule.asks ? NEVER : this.regions(rule, TRUE);
  }
}
