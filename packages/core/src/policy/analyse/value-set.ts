/**
 * A set of the values that may stand at one place: kinds without contents as bits, numbers as intervals, texts as a set or
 * as everything outside of one. Closed under all operations here, so that inclusion and emptiness are decided exactly.
 */
import type { Json } from "../../value/json.ts";

/** Not there, while what should hold it is a map. */
export const ABSENT = 1;
/** Nothing that could hold it. */
export const NO_PARENT = 2;
/** There, but over a bound of the language; also every other error of a computed value. */
export const UNREADABLE = 4;
export const NULL = 8;
export const TRUE = 16;
export const FALSE = 32;
export const LIST = 64;
export const MAP = 128;
export const FAULTS = ABSENT | NO_PARENT | UNREADABLE;
const EVERY_KIND = FAULTS | NULL | TRUE | FALSE | LIST | MAP;

export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly lowOpen: boolean;
  readonly highOpen: boolean;
}

/** `values`, or with `outside` everything but `values`. */
export interface Texts {
  readonly outside: boolean;
  readonly values: ReadonlySet<string>;
}

export interface ValueSet {
  readonly bits: number;
  /** Ascending, apart from one another. */
  readonly numbers: readonly Interval[];
  readonly texts: Texts;
}

export const NO_TEXTS: Texts = { outside: false, values: new Set() };
export const ALL_TEXTS: Texts = { outside: true, values: new Set() };
const NO_NUMBERS: readonly Interval[] = [];
export const ALL_NUMBERS: readonly Interval[] = [interval(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)];
export const ANYTHING: ValueSet = { bits: EVERY_KIND, numbers: ALL_NUMBERS, texts: ALL_TEXTS };
export const NOTHING: ValueSet = { bits: 0, numbers: NO_NUMBERS, texts: NO_TEXTS };

export function interval(low: number, high: number, lowOpen = false, highOpen = false): Interval {
  return { low, high, lowOpen, highOpen };
}

export function kinds(bits: number): ValueSet {
  return { bits, numbers: NO_NUMBERS, texts: NO_TEXTS };
}

export function numbers(...intervals: readonly Interval[]): ValueSet {
  return { bits: 0, numbers: intervals, texts: NO_TEXTS };
}

export function texts(values: Iterable<string>, outside = false): ValueSet {
  return { bits: 0, numbers: NO_NUMBERS, texts: { outside, values: new Set(values) } };
}

export function isEmpty(set: ValueSet): boolean {
  return set.bits === 0 && set.numbers.length === 0 && isNoText(set.texts);
}

export function intersect(a: ValueSet, b: ValueSet): ValueSet {
  if (a === ANYTHING || a === b) return b;
  if (b === ANYTHING) return a;
  return {
    bits: a.bits & b.bits,
    numbers: intersectNumbers(a.numbers, b.numbers),
    texts: intersectTexts(a.texts, b.texts),
  };
}

export function union(a: ValueSet, b: ValueSet): ValueSet {
  return {
    bits: a.bits | b.bits,
    numbers: mergeNumbers(a.numbers, b.numbers),
    texts: uniteTexts(a.texts, b.texts),
  };
}

/** Everything that is not in `a`. */
export function complement(a: ValueSet): ValueSet {
  return {
    bits: EVERY_KIND & ~a.bits,
    numbers: complementNumbers(a.numbers),
    texts: { outside: !a.texts.outside, values: a.texts.values },
  };
}

export function isSubset(a: ValueSet, b: ValueSet): boolean {
  if (a === b || b === ANYTHING) return true;
  if ((a.bits & ~b.bits) !== 0) return false;
  if (!a.numbers.every((inner) => b.numbers.some((outer) => contains(outer, inner)))) return false;
  return textsWithin(a.texts, b.texts);
}

/** Whether this argument, undefined for an absent one, is in the set. */
export function has(set: ValueSet, value: Json | undefined): boolean {
  switch (typeof value) {
    case "undefined":
      return (set.bits & ABSENT) !== 0;
    case "string":
      return set.texts.values.has(value) !== set.texts.outside;
    case "boolean":
      return (set.bits & (value ? TRUE : FALSE)) !== 0;
    case "number":
      return set.numbers.some((one) => contains(one, interval(value, value)));
    default:
      return (set.bits & (value === null ? NULL : Array.isArray(value) ? LIST : MAP)) !== 0;
  }
}

/** The same set of whole numbers with the tightest closed bounds; for places that hold whole numbers only. */
export function wholeNumbers(set: ValueSet): ValueSet {
  const tight = set.numbers.map(({ low, high, lowOpen, highOpen }) =>
    interval(
      lowOpen && Number.isInteger(low) ? low + 1 : Math.ceil(low),
      highOpen && Number.isInteger(high) ? high - 1 : Math.floor(high),
    ),
  );
  return { ...set, numbers: tight.filter(({ low, high }) => low <= high) };
}

function contains(outer: Interval, inner: Interval): boolean {
  const fromLeft = inner.low > outer.low || (inner.low === outer.low && (!outer.lowOpen || inner.lowOpen));
  const toRight = inner.high < outer.high || (inner.high === outer.high && (!outer.highOpen || inner.highOpen));
  return fromLeft && toRight;
}

function isNone({ low, high, lowOpen, highOpen }: Interval): boolean {
  return low > high || (low === high && (lowOpen || highOpen));
}

function intersectNumbers(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  if (a === ALL_NUMBERS || b.length === 0) return b;
  if (b === ALL_NUMBERS || a.length === 0) return a;
  return a.flatMap((one) => b.map((other) => meet(one, other)).filter((both) => !isNone(both)));
}

function meet(a: Interval, b: Interval): Interval {
  const low = Math.max(a.low, b.low);
  const high = Math.min(a.high, b.high);
  return {
    low,
    high,
    lowOpen: (a.low === low && a.lowOpen) || (b.low === low && b.lowOpen),
    highOpen: (a.high === high && a.highOpen) || (b.high === high && b.highOpen),
  };
}

function mergeNumbers(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const sorted = [...a, ...b].sort((a, b) => a.low - b.low || Number(a.lowOpen) - Number(b.lowOpen));
  const merged: Interval[] = [];
  for (const next of sorted) {
    const last = merged.at(-1);
    const apart =
      last === undefined || next.low > last.high || (next.low === last.high && next.lowOpen && last.highOpen);
    if (apart) merged.push(next);
    else merged[merged.length - 1] = { ...last, ...furtherEnd(last, next) };
  }
  return merged;
}

function furtherEnd(a: Interval, b: Interval): Pick<Interval, "high" | "highOpen"> {
  if (a.high !== b.high) return a.high > b.high ? a : { high: b.high, highOpen: b.highOpen };
  return { high: a.high, highOpen: a.highOpen && b.highOpen };
}

function complementNumbers(intervals: readonly Interval[]): readonly Interval[] {
  if (intervals.length === 0) return ALL_NUMBERS;
  const gaps: Interval[] = [];
  let low = Number.NEGATIVE_INFINITY;
  let lowOpen = false;
  for (const one of intervals) {
    gaps.push(interval(low, one.low, lowOpen, !one.lowOpen));
    low = one.high;
    lowOpen = !one.highOpen;
  }
  gaps.push(interval(low, Number.POSITIVE_INFINITY, lowOpen, false));
  return gaps.filter((gap) => !isNone(gap));
}

function intersectTexts(a: Texts, b: Texts): Texts {
  if (isAll(a) || isNoText(b)) return b;
  if (isAll(b) || isNoText(a)) return a;
  if (a.outside && b.outside) return { outside: true, values: new Set([...a.values, ...b.values]) };
  const [finite, other] = a.outside ? [b, a] : [a, b];
  return {
    outside: false,
    values: new Set([...finite.values].filter((value) => other.values.has(value) !== other.outside)),
  };
}

function uniteTexts(a: Texts, b: Texts): Texts {
  if (isNoText(a)) return b;
  if (isNoText(b)) return a;
  const both = intersectTexts({ ...a, outside: !a.outside }, { ...b, outside: !b.outside });
  return { outside: !both.outside, values: both.values };
}

function isAll({ outside, values }: Texts): boolean {
  return outside && values.size === 0;
}

function isNoText({ outside, values }: Texts): boolean {
  return !outside && values.size === 0;
}

function textsWithin(a: Texts, b: Texts): boolean {
  if (!a.outside) return [...a.values].every((value) => b.values.has(value) !== b.outside);
  return b.outside && [...b.values].every((value) => a.values.has(value));
}
