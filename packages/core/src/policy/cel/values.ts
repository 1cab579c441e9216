/**
 * Values of conditions.
 *
 * An int is a JavaScript number while |n| ≤ 2^53−1 and a bigint beyond, within 64 bits: one value has one form, so that two
 * ints are equal exactly when `===` says so. JSON lists and maps stay as they are; their members are adopted when read.
 */
import { LIMITS } from "../../limits.ts";
import { Fault } from "./issues.ts";
import type { Kind } from "./types.ts";

/** Values that are neither JSON nor a JavaScript primitive. An instance check, so that no JSON object can pose as one. */
abstract class Boxed {
  abstract readonly kind: Kind;
}

export class Double extends Boxed {
  readonly kind = "double";
  readonly value: number;
  constructor(value: number) {
    super();
    this.value = value;
  }
}

export class Uint extends Boxed {
  readonly kind = "uint";
  readonly value: bigint;
  constructor(value: bigint) {
    super();
    this.value = value;
  }
}

/** Nanoseconds since 1970, within the years 1 to 9999. */
export class Timestamp extends Boxed {
  readonly kind = "timestamp";
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }
  /** From the gate's clock. */
  static fromMs(ms: number): Timestamp {
    return new Timestamp(BigInt(Math.trunc(ms)) * 1_000_000n);
  }
}

/** Nanoseconds, within 64 bits. */
export class Duration extends Boxed {
  readonly kind = "duration";
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }
}

/** `unscaled` / 10^`scale`, exactly. `1.5` and `1.50` are equal and print as they were written. */
export class Decimal extends Boxed {
  readonly kind = "decimal";
  readonly unscaled: bigint;
  readonly scale: number;
  constructor(unscaled: bigint, scale: number) {
    super();
    this.unscaled = unscaled;
    this.scale = scale;
  }
}

export class CelTypeValue extends Boxed {
  readonly kind = "type";
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** `value` is undefined for `optional.none()`. */
export class CelOptional extends Boxed {
  readonly kind = "optional";
  readonly value: CelValue | undefined;
  constructor(value: CelValue | undefined) {
    super();
    this.value = value;
  }
}

export type MapKey = string | boolean | number | bigint;

/** A map built by a condition. Keys of all number kinds are one: `{1: "a"}[1u]` is `"a"`. */
export class CelMap extends Boxed {
  readonly kind = "map";
  readonly entries: ReadonlyMap<MapKey, { readonly key: CelValue; readonly value: CelValue }>;
  constructor(entries: ReadonlyMap<MapKey, { readonly key: CelValue; readonly value: CelValue }>) {
    super();
    this.entries = entries;
  }
}

/** Own, enumerable properties of a plain object. */
export interface CelRecord {
  readonly [key: string]: unknown;
}
/** Items of a list that came from JSON are adopted when read. */
export type CelList = readonly unknown[];

export type CelValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Double
  | Uint
  | Timestamp
  | Duration
  | Decimal
  | CelTypeValue
  | CelOptional
  | CelMap
  | CelList
  | CelRecord;

export type Outcome = CelValue | Fault;

export const NONE = new CelOptional(undefined);

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** The one form of an int, or null when it does not fit 64 bits. */
export function intOf(value: bigint): number | bigint | null {
  if (value < MIN_INT || value > MAX_INT) return null;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Null when it does not fit 64 bits. */
export function uintOf(value: bigint): Uint | null {
  return value < 0n || value > MAX_UINT ? null : new Uint(value);
}

export function kindOf(value: CelValue): Kind {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
    case "bigint":
      return "int";
    default:
      if (value === null) return "null";
      if (Array.isArray(value)) return "list";
      if (value instanceof Boxed) return value.kind;
      return value instanceof Uint8Array ? "bytes" : "map";
  }
}

/** The magnitude of any number kind, or undefined. JavaScript compares numbers with bigints exactly. */
export function numberOf(value: CelValue): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return value instanceof Double || value instanceof Uint ? value.value : undefined;
}

export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Counted in UTF-16 code units, because that costs nothing: no text within the bound in bytes is refused. */
export function textFits(text: string): boolean {
  return text.length <= LIMITS.celStringBytes;
}

export const TEXT_TOO_LONG = `a text over ${LIMITS.celStringBytes} characters`;
export const LIST_TOO_LONG = `a list over ${LIMITS.celListItems} items`;

/** A value from outside → a value of the language. Whole numbers are ints, others doubles; what is too large is an error. */
export function adopt(value: unknown, offset: number): Outcome {
  switch (typeof value) {
    case "string":
      return textFits(value) ? value : new Fault(TEXT_TOO_LONG, offset);
    case "boolean":
      return value;
    case "number":
      // `+ 0` takes the sign off a negative zero, which no int has.
      return Number.isSafeInteger(value) ? value + 0 : new Double(value);
    case "bigint":
      return intOf(value) ?? new Fault("an integer beyond 64 bits", offset);
    case "object":
      return value === null ? null : adoptObject(value, offset);
    default:
      return new Fault("a value that conditions cannot read", offset);
  }
}

function adoptObject(value: object, offset: number): Outcome {
  if (Array.isArray(value)) {
    return value.length <= LIMITS.celListItems ? (value as CelList) : new Fault(LIST_TOO_LONG, offset);
  }
  if (isPlain(value)) return value as CelRecord;
  if (value instanceof Boxed) return value as CelValue;
  // What the host could not tell: its own words, at the place that reads it.
  if (value instanceof Fault) return new Fault(value.message, offset);
  if (value instanceof Uint8Array) {
    return value.length <= LIMITS.celStringBytes ? value : new Fault(`bytes over ${LIMITS.celStringBytes}`, offset);
  }
  return new Fault("a value that conditions cannot read", offset);
}

/** A member or item that the schema calls a `number` is a double also where it is whole: `5 / 2` is then `2.5`. */
export function adoptDouble(value: unknown, offset: number): Outcome {
  return typeof value === "number" ? new Double(value) : adopt(value, offset);
}

export function adoptUint(value: unknown, offset: number): Outcome {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? new Uint(BigInt(value))
    : adopt(value, offset);
}

/** Said by `ownField` of a value that has no fields. */
export const NO_FIELDS = Symbol("no fields");

/** An own property of a map: undefined when absent, `NO_FIELDS` when the value is not a map. Never a prototype's. */
export function ownField(map: unknown, field: string): unknown {
  if (typeof map !== "object" || map === null) return NO_FIELDS;
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype === Object.prototype || prototype === null) {
    return Object.hasOwn(map, field) ? (map as CelRecord)[field] : undefined;
  }
  return map instanceof CelMap ? map.entries.get(field)?.value : NO_FIELDS;
}

/** The form in which a value is a key of a map, or undefined when its kind cannot be one. */
export function mapKey(value: CelValue): MapKey | undefined {
  if (typeof value === "string" || typeof value === "boolean") return value;
  const number = numberOf(value);
  if (number === undefined) return undefined;
  if (typeof number === "bigint") {
    const small = Number(number);
    return Number.isSafeInteger(small) ? small : number;
  }
  if (Number.isSafeInteger(number)) return number + 0;
  return Number.isInteger(number) ? BigInt(number) : undefined;
}

/** The keys of a map, in its own order. */
export function keysOf(map: CelMap | CelRecord): readonly CelValue[] {
  if (map instanceof CelMap) return Array.from(map.entries.values(), (entry) => entry.key);
  return Object.keys(map).filter((key) => map[key] !== undefined);
}

export function isMap(value: CelValue): value is CelMap | CelRecord {
  return kindOf(value) === "map";
}

export function isList(value: CelValue): value is CelList {
  return Array.isArray(value);
}
