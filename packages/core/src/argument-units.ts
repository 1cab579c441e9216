/**
 * What the arguments of one call count, as the policies said of it when it was judged: `amount` is so many `usd_cents`.
 * It is for people alone. It decides nothing, and where it is not sure there is no unit: never a wrong one.
 */
import { editedValue } from "./approval/edited-value.ts";
import { canonicalJson, type Json } from "./value/json.ts";
import { knownAmount } from "./value/money.ts";

export interface ArgumentUnit {
  readonly unit: string;
  /** Arguments that it was told by, such as `currency`; `$` is all of them. Where they are others, it is not known. */
  readonly from?: readonly string[] | undefined;
}

/** By argument path, list items without their places: `amount`, `lines[].price`. Plain data. */
export type ArgumentUnits = Readonly<Record<string, ArgumentUnit>>;

export const NO_UNITS: ArgumentUnits = Object.freeze({});

export function unitFrom(unit: string, from: readonly string[]): ArgumentUnit {
  return from.length === 0 ? { unit } : { unit, from };
}

/** The unit of the value at a path such as `lines[0].price`; undefined where none is known. */
export type UnitAt = (path: string) => string | undefined;

/** The same value as a person reads it, `$4,500.00`. */
export type AmountAt = (path: string, value: Json | undefined) => string | undefined;

/** @param judged The arguments that the units were said of. @param args Those that are shown: the same, or as edited. */
export function unitsAt(units: ArgumentUnits | undefined, judged: Json, args: Json = judged): UnitAt {
  if (units === undefined) return () => undefined;
  const same = args === judged ? () => true : (path: string) => isSame(judged, args, path);
  const standing = new Map(
    Object.entries(units).flatMap(([path, { unit, from = [] }]) => (from.every(same) ? [[path, unit] as const] : [])),
  );
  return (path) => standing.get(path.replace(/\[\d+\]/g, "[]"));
}

/** @param judged @param args As for `unitsAt`. */
export function amountsAt(units: ArgumentUnits | undefined, judged: Json, args: Json = judged): AmountAt {
  const unitAt = unitsAt(units, judged, args);
  return (path, value) => {
    const unit = unitAt(path);
    return unit === undefined ? undefined : knownAmount(value, unit);
  };
}

function isSame(judged: Json, args: Json, path: string): boolean {
  if (path === "$") return canonicalJson(judged) === canonicalJson(args);
  const [one, other] = [editedValue(judged, path), editedValue(args, path)];
  return one === undefined || other === undefined ? one === other : canonicalJson(one) === canonicalJson(other);
}

/** Those that are known whatever the values of the arguments are. */
export function fixedUnits(units: ArgumentUnits): ArgumentUnits {
  return Object.fromEntries(Object.entries(units).filter(([, { from = [] }]) => from.length === 0));
}
