/**
 * Conditions as unions of regions: a region says for some places which values they hold, all others are free. Regions are
 * exact: a call lies in one of them if and only if the condition has that outcome (with what is not looked into taken as a
 * place of its own). A condition with more regions than the bound is not known, and nothing is claimed about it.
 */
import type { Expr } from "../cel/ast.ts";
import type { Atom, Place } from "./atom.ts";
import { complement, intersect, isEmpty, isSubset, NOTHING, union, type ValueSet, wholeNumbers } from "./value-set.ts";

export const TRUE = 1;
export const FALSE = 2;
export const ERROR = 4;
/** One or several of them, added. */
export type Outcomes = number;

export type AtomOf = (expr: Expr) => Atom;

export interface Constraint {
  readonly place: Place;
  readonly values: ValueSet;
}

/** By the place's key. */
export type Region = ReadonlyMap<string, Constraint>;

/** The whole space. */
const EVERYWHERE: Region = new Map();

/** The whole space, and nothing of it, as unions of regions. */
export const ALWAYS: readonly Region[] = [EVERYWHERE];
export const NEVER: readonly Region[] = [];

/** More regions than this, and the condition counts as not known. */
const MOST_REGIONS = 64;

/** Where a condition has one of these outcomes; null is "not known". `atomOf` looks at the pieces that it is joined of. */
export function regionsOf(expr: Expr, outcomes: Outcomes, atomOf: AtomOf): readonly Region[] | null {
  switch (expr.kind) {
    case "and":
      return joined(expr.operands, outcomes, atomOf, TRUE, FALSE);
    case "or":
      return joined(expr.operands, outcomes, atomOf, FALSE, TRUE);
    case "not":
      return regionsOf(expr.operand, swapped(outcomes), atomOf);
    case "conditional":
      return chosen(expr, outcomes, atomOf);
    default:
      return atomRegions(expr, outcomes, atomOf);
  }
}

function swapped(outcomes: Outcomes): Outcomes {
  return (outcomes & ERROR) | (outcomes & TRUE ? FALSE : 0) | (outcomes & FALSE ? TRUE : 0);
}

/** `passes` is the outcome that all sides must have (true for `&&`), `decides` the one that a single side decides with. */
function joined(
  operands: readonly Expr[],
  outcomes: Outcomes,
  atomOf: AtomOf,
  passes: Outcomes,
  decides: Outcomes,
): readonly Region[] | null {
  const each = (wanted: Outcomes) => operands.map((operand) => regionsOf(operand, wanted, atomOf));
  const anyOf = (wanted: Outcomes) => unite(each(wanted));
  const allOf = (wanted: Outcomes) => product(each(wanted));
  switch (outcomes) {
    case passes:
      return allOf(passes);
    case decides:
      return anyOf(decides);
    case passes | ERROR:
      return allOf(passes | ERROR);
    case decides | ERROR:
      return anyOf(decides | ERROR);
    case passes | decides:
      return unite([allOf(passes), anyOf(decides)]);
    case ERROR: {
      const open = each(passes | ERROR);
      const failing = each(ERROR);
      return unite(failing.map((failed, index) => product([failed, ...open.toSpliced(index, 1)])));
    }
    default:
      return outcomes === 0 ? [] : [EVERYWHERE];
  }
}

function chosen(expr: Extract<Expr, { kind: "conditional" }>, outcomes: Outcomes, atomOf: AtomOf) {
  const of = (part: Expr, wanted: Outcomes) => regionsOf(part, wanted, atomOf);
  return unite([
    product([of(expr.condition, TRUE), of(expr.then, outcomes)]),
    product([of(expr.condition, FALSE), of(expr.else, outcomes)]),
    outcomes & ERROR ? of(expr.condition, ERROR) : [],
  ]);
}

function atomRegions(expr: Expr, outcomes: Outcomes, atomOf: AtomOf): readonly Region[] {
  const { place, whenTrue, whenFalse } = atomOf(expr);
  if (outcomes === (TRUE | FALSE | ERROR)) return [EVERYWHERE];
  const any = valuesWith(outcomes, place, whenTrue, whenFalse);
  const values = place.kind === "size" ? wholeNumbers(any) : any;
  if (isEmpty(values)) return [];
  return isSubset(place.top, values) ? [EVERYWHERE] : [new Map([[place.key, { place, values }]])];
}

function valuesWith(outcomes: Outcomes, { top }: Place, whenTrue: ValueSet, whenFalse: ValueSet): ValueSet {
  switch (outcomes) {
    case TRUE:
      return whenTrue;
    case FALSE:
      return whenFalse;
    case TRUE | FALSE:
      return union(whenTrue, whenFalse);
    case TRUE | ERROR:
      return intersect(top, complement(whenFalse));
    case FALSE | ERROR:
      return intersect(top, complement(whenTrue));
    default:
      return outcomes === 0 ? NOTHING : intersect(top, complement(union(whenTrue, whenFalse)));
  }
}

function unite(parts: readonly (readonly Region[] | null)[]): readonly Region[] | null {
  const all: Region[] = [];
  for (const part of parts) {
    if (part === null || all.length + part.length > MOST_REGIONS) return null;
    all.push(...part);
  }
  return all.includes(EVERYWHERE) ? [EVERYWHERE] : all;
}

/** Calls that lie in one region of each part; null over the bound. */
export function product(parts: readonly (readonly Region[] | null)[]): readonly Region[] | null {
  // A part that is empty decides, whatever is not known of the others.
  if (parts.some((part) => part?.length === 0)) return [];
  let all: readonly Region[] = ALWAYS;
  for (const part of parts) {
    if (part === null) return null;
    if (all === ALWAYS) {
      all = part;
      continue;
    }
    const next: Region[] = [];
    for (const one of all) {
      for (const other of part) {
        const both = meet(one, other);
        if (both !== undefined) next.push(both);
      }
      if (next.length > MOST_REGIONS) return null;
    }
    all = next;
  }
  return all;
}

/** The calls in both, or undefined where there are none. */
export function meet(a: Region, b: Region): Region | undefined {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const both = new Map(a);
  for (const [key, constraint] of b) {
    const before = both.get(key);
    const values = before === undefined ? constraint.values : intersect(before.values, constraint.values);
    if (isEmpty(values)) return undefined;
    both.set(key, before === undefined ? constraint : { place: constraint.place, values });
  }
  return both;
}

/** Whether every call in `inner` is surely in `outer`. */
export function isWithin(inner: Region, outer: Region): boolean {
  for (const { place, values } of outer.values()) {
    if (!isSubset(inner.get(place.key)?.values ?? place.top, values)) return false;
  }
  return true;
}
