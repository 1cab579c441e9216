/** What two policy sets say beside their rules: budgets, detectors, tools, routes and environments, setting by setting. */
import type { Span } from "../../decision.ts";
import { canonicalJson } from "../../value/json.ts";
import { printCel } from "../cel/print.ts";
import { compareText, quote } from "../issue.ts";
import { budgetJson } from "../limits/limits-json.ts";
import type { PolicyModel } from "../model.ts";
import { unitsJson } from "../units.ts";

export interface SettingDifference {
  readonly what: "budget" | "breaker" | "tool" | "route" | "environment";
  /** Of what differs; of a breaker its detector, with its scope. */
  readonly name: string;
  /** `different` where neither side lets more pass in every case. */
  readonly change: "looser" | "tighter" | "different";
  readonly text: string;
  /** Where each side says it; null where it does not. */
  readonly before: Span | null;
  readonly after: Span | null;
}

/** A thing that a set declares: its settings as canonical texts, and how much each lets pass where that can be told. */
interface Declared {
  readonly what: SettingDifference["what"];
  readonly name: string;
  readonly span: Span;
  /** What is looser: with it or without it. */
  readonly presence: SettingDifference["change"];
  readonly settings: ReadonlyMap<string, Setting>;
}

interface Setting {
  readonly text: string;
  /** Larger lets more pass; absent: cannot be told. */
  readonly loose?: number;
}

/** By kind and name. Pure and total. */
export function diffSettings(before: PolicyModel, after: PolicyModel): readonly SettingDifference[] {
  const [left, right] = [declaredBy(before), declaredBy(after)];
  const gone = [...left].filter(([key]) => !right.has(key)).map(([, one]) => one);
  const come = [...right].filter(([key]) => !left.has(key)).map(([, one]) => one);
  const renamed = pairs(gone, come);
  const differences = [
    ...[...left].flatMap(([key, one]) => {
      const other = right.get(key);
      return other === undefined ? [] : between(one, other);
    }),
    ...renamed.map(([from, to]): SettingDifference => {
      const text = `is called ${quote(to.name)} now: it starts with empty pots`;
      return { what: "budget", name: from.name, change: "different", text, before: from.span, after: to.span };
    }),
    ...gone.filter((one) => !renamed.some(([from]) => from === one)).map((one) => alone(one, "gone")),
    ...come.filter((one) => !renamed.some(([, to]) => to === one)).map((one) => alone(one, "new")),
  ];
  return differences.sort(
    (a, b) => compareText(a.what, b.what) || compareText(a.name, b.name) || compareText(a.text, b.text),
  );
}

function opposite(change: SettingDifference["change"]): SettingDifference["change"] {
  return change === "looser" ? "tighter" : change === "tighter" ? "looser" : "different";
}

function alone({ what, name, span, presence }: Declared, how: "gone" | "new"): SettingDifference {
  const place = how === "gone" ? { before: span, after: null } : { before: null, after: span };
  const text = how === "gone" ? "is not declared any more" : "is new";
  return { what, name, change: how === "new" ? presence : opposite(presence), text, ...place };
}

/** Budgets that are alike but for their names: of several that are, in the order of their names. */
function pairs(gone: readonly Declared[], come: readonly Declared[]): readonly (readonly [Declared, Declared])[] {
  const left = come.filter(({ what }) => what === "budget");
  return gone.flatMap((from) => {
    const at = from.what === "budget" ? left.findIndex((to) => sameSettings(from, to)) : -1;
    const [to] = at === -1 ? [] : left.splice(at, 1);
    return to === undefined ? [] : [[from, to] as const];
  });
}

function sameSettings(one: Declared, other: Declared): boolean {
  return (
    one.settings.size === other.settings.size &&
    [...one.settings].every(([key, { text }]) => other.settings.get(key)?.text === text)
  );
}

function between(one: Declared, other: Declared): readonly SettingDifference[] {
  const names = new Set([...one.settings.keys(), ...other.settings.keys()]);
  return [...names].sort().flatMap((name): readonly SettingDifference[] => {
    const [from, to] = [one.settings.get(name), other.settings.get(name)];
    if (from?.text === to?.text) return [];
    const fresh = one.what === "budget" && STARTS_ANEW.includes(name) ? "; it starts with empty pots" : "";
    const text = `${quote(name)}: ${from?.text ?? "not said"} → ${to?.text ?? "not said"}${fresh}`;
    const change = changeOf(from?.loose, to?.loose);
    return [{ what: one.what, name: one.name, change, text, before: one.span, after: other.span }];
  });
}

/** Parts of the name of a pot. */
const STARTS_ANEW: readonly string[] = ["unit", "key", "window"];

function changeOf(from: number | undefined, to: number | undefined): SettingDifference["change"] {
  if (from === undefined || to === undefined || from === to) return "different";
  return to > from ? "looser" : "tighter";
}

function declaredBy(model: PolicyModel): ReadonlyMap<string, Declared> {
  const all = [
    ...budgetsOf(model),
    ...breakersOf(model),
    ...toolsOf(model),
    ...routesOf(model),
    ...environmentsOf(model),
  ];
  return new Map(all.sort((a, b) => compareText(a.name, b.name)).map((one) => [`${one.what} ${one.name}`, one]));
}

function settingsOf(fields: object, loose: (name: string, value: unknown) => number | undefined = () => undefined) {
  return new Map(
    Object.entries(fields).map(([name, value]: [string, unknown]): [string, Setting] => {
      const rank = loose(name, value);
      return [name, { text: textOf(value), ...(rank === undefined ? {} : { loose: rank }) }];
    }),
  );
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "not said" : canonicalJson(JSON.parse(JSON.stringify(value, plain)) as unknown);
}

/** Places are no settings; integers beyond JSON are texts. */
function plain(key: string, value: unknown): unknown {
  if (key === "span") return undefined;
  return typeof value === "bigint" ? String(value) : value;
}

const OVER: Readonly<Record<string, number>> = { deny: 0, pause: 1, annotate: 2, allow: 2 };
const MODES: Readonly<Record<string, number>> = { enforce: 0, observe: 1 };
const ranked = (ranks: Readonly<Record<string, number>>, value: unknown) =>
  typeof value === "string" && Object.hasOwn(ranks, value) ? ranks[value] : undefined;

function budgetsOf({ budgets }: PolicyModel): readonly Declared[] {
  return budgets.map((budget) => {
    const { id, reason: _reason, fix: _fix, ...fields } = budgetJson(budget) as Record<string, unknown>;
    const settings = settingsOf(fields, (name, value) => {
      if (name === "limit") return Number(value);
      return name === "over" || name === "unpriced" ? ranked(OVER, value) : undefined;
    });
    return { what: "budget", name: budget.id, span: budget.span, presence: "tighter", settings };
  });
}

function breakersOf({ detectors }: PolicyModel): readonly Declared[] {
  return detectors.flatMap(({ span, scope, settings }) => {
    const only = Object.entries(scope).filter(([, names]: [string, readonly string[] | null]) => names !== null);
    const where = only.length === 0 ? "" : ` ${canonicalJson(Object.fromEntries(only))}`;
    return Object.entries(settings).map(([detector, fields]): Declared => {
      const loose = (name: string, value: unknown): number | undefined => {
        if (name === "over") return ranked(OVER, value);
        if (name === "mode") return ranked(MODES, value);
        return detector === "caps" && (typeof value === "number" || typeof value === "bigint")
          ? Number(value)
          : undefined;
      };
      return {
        what: "breaker",
        name: `${detector}${where}`,
        span,
        presence: "different",
        settings: settingsOf(fields, loose),
      };
    });
  });
}

function toolsOf({ tools }: PolicyModel): readonly Declared[] {
  return tools.map(({ name, span, kind, labels, aliases, schema, binds, traits, units }) => {
    const bound = binds.map(({ path, value }) => [`bind.${path.join(".")}`, printCel(value.expr)] as const);
    const declared = { kind, labels: [...labels].sort(), aliases: [...aliases].sort(), schema: schema?.source };
    const counted = Object.entries(unitsJson(units)).map(([path, unit]) => [`units.${path}`, unit] as const);
    const fields = { ...declared, ...traits, ...Object.fromEntries([...bound, ...counted]) };
    return { what: "tool", name, span, presence: "different", settings: settingsOf(fields) };
  });
}

function routesOf({ documents }: PolicyModel): readonly Declared[] {
  return documents.flatMap(({ source }) =>
    (source.routes ?? []).map(({ key, span, value }): Declared => {
      const { span: _span, ...fields } = value;
      return { what: "route", name: key, span, presence: "different", settings: settingsOf(fields) };
    }),
  );
}

function environmentsOf({ environments }: PolicyModel): readonly Declared[] {
  return [...environments.values()].map(({ name, span, unmatched, observe }) => {
    const kinds = Object.entries(unmatched).map(([kind, verdict]) => [`unmatched.${kind}`, verdict] as const);
    const fields = { ...Object.fromEntries(kinds), mode: observe ? "observe" : "enforce" };
    const settings = settingsOf(fields, (field, value) =>
      field === "mode" ? ranked(MODES, value) : ranked(OVER, value),
    );
    return { what: "environment", name, span, presence: "different", settings };
  });
}
