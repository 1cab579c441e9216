/** `budgets:` at load. A budget that is not understood whole is an error: one that counted less would permit more. */
import type { BudgetWindow } from "../../budget.ts";
import { parseDecimal } from "../../value/decimal.ts";
import { isKnownUnit, KNOWN_UNITS, scaleOf } from "../../value/unit.ts";
import type { CelEnv, CelType } from "../cel/types.ts";
import type { ArgumentChecker } from "../check-arguments.ts";
import type { ScopeChecker } from "../check-scope.ts";
import { Conditions } from "../condition.ts";
import { globMatches, isGlob } from "../glob.ts";
import { type Issues, quote } from "../issue.ts";
import type { ConditionModel, ExpressionModel, PolicyDocument, RuleScope } from "../model.ts";
import { nearest } from "../nearest.ts";
import { hint } from "../read.ts";
import type { Located } from "../shape.ts";
import { checkValue, type ExpressionScope } from "../value-expression.ts";
import type { BudgetSource } from "./format.ts";
import type { BudgetModel } from "./model.ts";

export interface BudgetSurroundings extends ExpressionScope {
  readonly scopes: ScopeChecker;
  readonly conditions: Conditions;
  readonly arguments: ArgumentChecker;
}

export function checkBudgets(
  documents: readonly PolicyDocument[],
  around: BudgetSurroundings,
  issues: Issues,
): readonly BudgetModel[] {
  const sources = documents.flatMap(({ source }) => source.budgets ?? []);
  if (sources.length === 0) return [];
  const env = modelEnv(around.env);
  const models = { ...around, env, conditions: new Conditions(env, around.definitions, issues) };
  return sources.flatMap((source) => {
    const surroundings = source.model === undefined ? around : models;
    return new BudgetChecker(source, surroundings, issues).check() ?? [];
  });
}

/** A call of a model has no arguments and is of no tool. */
function modelEnv(env: CelEnv): CelEnv {
  const { args: _args, call: _call, tool: _tool, ...variables } = env.variables;
  return { ...env, variables };
}

/** What the gate itself can count of a call to a model. */
const MODEL_UNITS = ["usd", "usd_micros", "tokens", "calls"];
const NUMBERS: readonly CelType["kind"][] = ["int", "uint", "double", "decimal", "string"];
const NAMES: readonly CelType["kind"][] = ["string", "int", "uint", "double", "decimal", "bool"];
const WORD = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

class BudgetChecker {
  /** Keys that did not read were reported; what is required may still be absent. */
  readonly #source: Partial<BudgetSource> & Pick<BudgetSource, "span">;
  readonly #around: BudgetSurroundings;
  readonly #issues: Issues;
  readonly #details: { readonly rule: string };

  constructor(source: BudgetSource, around: BudgetSurroundings, issues: Issues) {
    this.#source = source;
    this.#around = around;
    this.#issues = issues;
    this.#details = { rule: `budget:${this.#source.id?.value ?? ""}` };
  }

  /** Undefined where something required is missing; otherwise complete only if no error was added. */
  check(): BudgetModel | undefined {
    const { id, limit, per, unit: written, model, settle } = this.#source;
    this.#keys();
    const scope = this.#around.scopes.check(this.#source, this.#details);
    const condition = this.#condition(scope);
    const sum = this.#sum(scope);
    const unit = written === undefined ? undefined : this.#unit(written, scope);
    const key = (per?.key ?? []).flatMap((one) => this.#value(one, scope, NAMES, "a key of a budget") ?? []);
    if (per?.key?.length === 0) this.#refuse("empty", "`key` is an empty list; remove it");
    const window = per === undefined ? undefined : this.#window(per);
    if (unit !== undefined && limit !== undefined) this.#limit(limit, unit);
    if (id === undefined || limit === undefined || unit === undefined || window === undefined) return undefined;
    return {
      id: id.value,
      span: id.span,
      scope,
      models: model?.map(({ value }) => value) ?? null,
      condition,
      sum,
      unit,
      key,
      window,
      limit,
      over: this.#source.over ?? "deny",
      settle: settle?.value.split(".").slice(1) ?? null,
      unpriced: this.#source.unpriced ?? "deny",
      reason: this.#source.reason ?? null,
      fix: this.#source.fix ?? null,
    };
  }

  #keys(): void {
    const { tool, kind, label, model, sum, settle, unpriced } = this.#source;
    const ofTools = tool !== undefined || kind !== undefined || label !== undefined;
    if (!ofTools && model === undefined) {
      this.#refuse("missing-key", "a budget needs `model`, or at least one of `tool`, `kind`, `label`");
    }
    if (model === undefined) {
      if (unpriced !== undefined) this.#refuse("bad-value", "`unpriced` belongs to `model`; remove it");
      return;
    }
    if (ofTools) this.#refuse("bad-value", "a budget counts calls of tools or of models; make two of it");
    for (const [key, value] of Object.entries({ sum, settle })) {
      if (value === undefined) continue;
      this.#refuse("bad-value", `\`${key}\` has no meaning with \`model\`: the gate counts what was used; remove it`);
    }
  }

  #condition(scope: RuleScope): ConditionModel | null {
    const { when } = this.#source;
    if (when === undefined) return null;
    if (when.node.opaque !== undefined) {
      this.#issues.error(
        "bad-value",
        when.span,
        "a budget's condition cannot be a function; write it as CEL",
        this.#details,
      );
      return null;
    }
    const condition = this.#around.conditions.check(when, this.#details.rule);
    if (condition !== null) this.#around.arguments.checkExpression(this.#subject(scope), condition, when);
    return condition;
  }

  #sum(scope: RuleScope): BudgetModel["sum"] {
    const { sum } = this.#source;
    if (sum === undefined) return null;
    if (!isByTool(sum)) return this.#value(sum, scope, NUMBERS, "`sum`");
    const byTool = new Map<string, ExpressionModel>();
    for (const { key, span, value } of sum) {
      const tool = this.#around.scopes.canonical(key);
      if (scope.tools?.some((pattern) => globMatches(pattern, tool)) === false) {
        this.#issues.error("bad-value", span, `${quote(key)} is not among the \`tool\`s of this budget`, this.#details);
      }
      const model = this.#value(value, { ...scope, tools: [tool] }, NUMBERS, "`sum`");
      if (model !== null) byTool.set(tool, model);
    }
    for (const tool of scope.tools ?? []) {
      if (isGlob(tool) || byTool.has(tool)) continue;
      this.#refuse("missing-key", `\`sum\` does not say what ${quote(tool)} adds`);
    }
    return byTool;
  }

  #unit(written: Located, scope: RuleScope): BudgetModel["unit"] | undefined {
    if (!WORD.test(written.value)) {
      if (this.#source.model !== undefined) return this.#refuse("bad-value", "with `model` the unit is a word");
      return this.#value(written, scope, ["string"], "`unit`") ?? undefined;
    }
    const unit = written.value;
    if (this.#source.model !== undefined && !MODEL_UNITS.includes(unit)) {
      const words = MODEL_UNITS.map(quote).join(", ");
      this.#issues.error("bad-value", written.span, `with \`model\` the unit is one of ${words}`, this.#details);
    } else if (!isKnownUnit(unit)) {
      const suggestion = nearest(unit, KNOWN_UNITS);
      if (suggestion !== undefined) {
        const message = `${quote(unit)} is a unit of your own, counted in whole ones${hint(suggestion)}`;
        this.#issues.warning("unknown-unit", written.span, message, { ...this.#details, suggestion });
      }
    }
    return unit;
  }

  #limit(limit: string, unit: BudgetModel["unit"]): void {
    if (typeof unit !== "string" || parseDecimal(limit, scaleOf(unit)) !== undefined) return;
    const digits = scaleOf(unit) === 0 ? "whole ones" : `at most ${scaleOf(unit)} digits after the point`;
    this.#refuse(
      "bad-value",
      `\`limit\` cannot be ${quote(limit)}: ${quote(unit)} counts ${digits}, and not without end`,
    );
  }

  #window({ window }: Partial<BudgetSource["per"]>): BudgetWindow | undefined {
    if (window === undefined) return undefined;
    if (typeof window === "string") return { kind: window };
    const { calendar, zone, sliding } = window;
    if (sliding !== undefined) {
      if (calendar !== undefined || zone !== undefined) {
        return this.#refuse("bad-value", "a window is a `calendar` one or a `sliding` one; keep one");
      }
      return { kind: "sliding", ms: sliding };
    }
    if (calendar === undefined) return this.#refuse("missing-key", "`window` needs `calendar` or `sliding`");
    if (zone === undefined) {
      return this.#refuse("missing-key", "a `calendar` window needs its `zone`, such as `Europe/Zurich` or `UTC`");
    }
    if (this.#around.env.zones?.(zone, 0) === undefined) {
      return this.#refuse(
        "bad-value",
        `unknown time zone ${quote(zone)}; write one such as \`Europe/Zurich\` or \`UTC\``,
      );
    }
    return { kind: "calendar", unit: calendar, zone };
  }

  /** Null with the issues said. */
  #value(source: Located, scope: RuleScope, kinds: readonly CelType["kind"][], what: string): ExpressionModel | null {
    const model = checkValue(source, this.#around, this.#issues, this.#details);
    if (model === null) return null;
    if (model.type.kind !== "dyn" && !kinds.includes(model.type.kind)) {
      const message = `${what} cannot be a ${model.type.kind}, which ${quote(source.value)} gives`;
      this.#issues.error("wrong-type", source.span, message, this.#details);
      return null;
    }
    if (this.#source.model === undefined) {
      this.#around.arguments.checkExpression(this.#subject(scope), model, source, { kinds, what });
    }
    return model;
  }

  /** An error in it denies, as in a deny rule. */
  #subject(scope: RuleScope) {
    return { id: this.#details.rule, verdict: "deny", scope } as const;
  }

  #refuse(code: string, message: string): undefined {
    this.#issues.error(code, this.#source.id?.span ?? this.#source.span, message, this.#details);
    return undefined;
  }
}

function isByTool(sum: NonNullable<BudgetSource["sum"]>): sum is Extract<BudgetSource["sum"], readonly unknown[]> {
  return Array.isArray(sum);
}
