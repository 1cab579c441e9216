/** Equality and order of values. */
import { type Activation, costOf, OUT_OF_STEPS } from "./activation.ts";
import { compareDecimals, decimalOf } from "./decimal.ts";
import { Fault } from "./issues.ts";
import { comparisonKind, type Kind, withArticle } from "./types.ts";
import {
  adopt,
  CelMap,
  CelOptional,
  type CelRecord,
  CelTypeValue,
  type CelValue,
  Decimal,
  Duration,
  isList,
  isMap,
  keysOf,
  kindOf,
  mapKey,
  numberOf,
  ownField,
  Timestamp,
} from "./values.ts";

/**
 * How a comparison is done. `strict`: a value in it comes from `args` or `context`, so that different kinds are an error and
 * not simply unequal — otherwise `["KP"]` slips past `args.country in ["KP"]`.
 */
export interface Comparison {
  readonly strict: boolean;
  readonly offset: number;
  /** For messages: `==`, `in`, … */
  readonly operator: string;
}

function kindMismatch(a: Kind, b: Kind, comparison: Comparison): Fault {
  return new Fault(
    `\`${comparison.operator}\` between ${withArticle(a)} and ${withArticle(b)}: convert one of them, such as \`string(…)\` or \`int(…)\``,
    comparison.offset,
  );
}

/** A NaN makes every comparison false, so that a deny rule on it would never match: from `args` and `context` it is an error. */
function notANumber(comparison: Comparison): Fault {
  return new Fault(`\`${comparison.operator}\` on a value that is not a number (such as 0.0 / 0.0)`, comparison.offset);
}

export function equal(a: CelValue, b: CelValue, comparison: Comparison, activation: Activation): boolean | Fault {
  if (typeof a === "string" && typeof b === "string") return a === b;
  const x = numberOf(a);
  const y = numberOf(b);
  if (x !== undefined && y !== undefined) {
    // Exact for every mix of number and bigint, and false for NaN.
    if (x >= y && x <= y) return true;
    return comparison.strict && (Number.isNaN(x) || Number.isNaN(y)) ? notANumber(comparison) : false;
  }
  const kind = kindOf(a);
  const other = kindOf(b);
  if (a instanceof Decimal || b instanceof Decimal) {
    const sign = orderDecimals(a, b, comparison);
    return sign instanceof Fault ? kind !== "null" && other !== "null" && sign : sign === 0;
  }
  if (kind !== other) {
    if (!comparison.strict || kind === "null" || other === "null") return false;
    return kindMismatch(kind, other, comparison);
  }
  return equalObjects(a, b, comparison, activation);
}

/** A decimal beside a double has no exact order, and beside anything else none at all: never quietly unequal. */
function orderDecimals(a: CelValue, b: CelValue, comparison: Comparison): number | Fault {
  const x = decimalOf(a);
  const y = decimalOf(b);
  if (x !== undefined && y !== undefined) return compareDecimals(x, y);
  return new Fault(
    `\`${comparison.operator}\` between ${withArticle(kindOf(a))} and ${withArticle(kindOf(b))}: convert the other one with \`dec(…)\``,
    comparison.offset,
  );
}

/** Both of one kind, neither text nor number. */
function equalObjects(a: CelValue, b: CelValue, comparison: Comparison, activation: Activation): boolean | Fault {
  if (isList(a) && isList(b)) return equalLists(a, b, comparison, activation);
  if (a instanceof Timestamp && b instanceof Timestamp) return a.nanos === b.nanos;
  if (a instanceof Duration && b instanceof Duration) return a.nanos === b.nanos;
  if (a instanceof CelTypeValue && b instanceof CelTypeValue) return a.name === b.name;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b) === 0;
  if (a instanceof CelOptional && b instanceof CelOptional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equal(a.value, b.value, comparison, activation);
  }
  if (isMap(a) && isMap(b)) return equalMaps(a, b, comparison, activation);
  return a === b;
}

function equalLists(
  a: readonly unknown[],
  b: readonly unknown[],
  comparison: Comparison,
  activation: Activation,
): boolean | Fault {
  if (a.length !== b.length) return false;
  return every(a.length, comparison, activation, (index) => [a[index], b[index]]);
}

function equalMaps(
  a: CelMap | CelRecord,
  b: CelMap | CelRecord,
  comparison: Comparison,
  activation: Activation,
): boolean | Fault {
  const keys = keysOf(a);
  if (keys.length !== keysOf(b).length) return false;
  return every(keys.length, comparison, activation, (index) => {
    const key = keys[index] ?? null;
    return [entryOf(a, key), entryOf(b, key)];
  });
}

/** One unequal pair decides; an error only counts where no pair does. */
function every(
  count: number,
  comparison: Comparison,
  activation: Activation,
  pair: (index: number) => readonly [unknown, unknown],
): boolean | Fault {
  let fault: Fault | null = null;
  for (let index = 0; index < count; index++) {
    if (!activation.spend(1)) return new Fault(OUT_OF_STEPS, comparison.offset);
    const [left, right] = pair(index);
    if (left === undefined || right === undefined) return false;
    const a = adopt(left, comparison.offset);
    const b = adopt(right, comparison.offset);
    if (a instanceof Fault || b instanceof Fault) {
      fault ??= a instanceof Fault ? a : (b as Fault);
      continue;
    }
    const same = equal(a, b, comparison, activation);
    if (same === false) return false;
    if (same !== true) fault ??= same;
  }
  return fault ?? true;
}

/** The value under a key, raw; undefined when there is none. */
export function entryOf(map: CelMap | CelRecord, key: CelValue): unknown {
  const form = mapKey(key);
  if (form === undefined) return undefined;
  if (map instanceof CelMap) return map.entries.get(form)?.value;
  return typeof form === "string" ? ownField(map, form) : undefined;
}

/** `needle in haystack`: true if any item is equal; else an error if any comparison was one; else false. */
export function contains(
  haystack: CelValue,
  needle: CelValue,
  comparison: Comparison,
  activation: Activation,
): boolean | Fault {
  if (isList(haystack)) {
    let fault: Fault | null = null;
    for (const raw of haystack) {
      if (!activation.spend(1)) return new Fault(OUT_OF_STEPS, comparison.offset);
      const item = adopt(raw, comparison.offset);
      const same = item instanceof Fault ? item : equal(needle, item, comparison, activation);
      if (same === true) return true;
      if (same !== false) fault ??= same;
    }
    return fault ?? false;
  }
  if (!isMap(haystack)) {
    return new Fault(
      `\`in\` needs a list or a map on its right, not ${withArticle(kindOf(haystack))}`,
      comparison.offset,
    );
  }
  if (entryOf(haystack, needle) !== undefined) return true;
  return comparison.strict ? missingKey(haystack, needle, comparison) : false;
}

/** A key of another kind than the map's keys is a mistake or an evasion, not an absence. */
function missingKey(map: CelMap | CelRecord, needle: CelValue, comparison: Comparison): boolean | Fault {
  const kind = kindOf(needle);
  if (kind === "null") return false;
  const keys = map instanceof CelMap ? keysOf(map) : [""];
  const other = keys.find((key) => comparisonKind(kindOf(key)) !== comparisonKind(kind));
  return other === undefined ? false : kindMismatch(kind, kindOf(other), comparison);
}

/** Negative, zero or positive; NaN where a double that is not a number is unordered. */
export function order(a: CelValue, b: CelValue, comparison: Comparison, activation: Activation): number | Fault {
  const x = numberOf(a);
  const y = numberOf(b);
  if (x !== undefined && y !== undefined) {
    if (x < y) return -1;
    if (x > y) return 1;
    if (x >= y) return 0;
    return comparison.strict ? notANumber(comparison) : Number.NaN;
  }
  if (!activation.spend(costOf(a))) return new Fault(OUT_OF_STEPS, comparison.offset);
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareBig(a.nanos, b.nanos);
  if (a instanceof Duration && b instanceof Duration) return compareBig(a.nanos, b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (a instanceof Decimal || b instanceof Decimal) return orderDecimals(a, b, comparison);
  const kind = kindOf(a);
  const other = kindOf(b);
  if (kind !== other) return kindMismatch(kind, other, comparison);
  return new Fault(`\`${comparison.operator}\` has no meaning for ${withArticle(kind)}`, comparison.offset);
}

/** By code points. UTF-16 order differs only where a surrogate meets a unit above the surrogates. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit > 0xdfff ? unit - 0x800 : unit + 0x2000;
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
