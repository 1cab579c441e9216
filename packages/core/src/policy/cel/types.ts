/** What is known of a value before it exists. `dyn` is "nothing": light checking, never a guess. */

export type CelType =
  | { readonly kind: ScalarKind | "dyn" }
  | { readonly kind: "list"; readonly item: CelType }
  | { readonly kind: "map"; readonly value: CelType }
  /** `open`: other fields than these may be there. */
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, CelType>>; readonly open: boolean };

export type ScalarKind =
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "null"
  | "timestamp"
  | "duration"
  | "decimal"
  | "type";

/**
 * The calendar of time zones, from outside: seconds east of UTC in a zone (`Europe/Zurich`) at a moment, undefined for a zone
 * that it does not know. Pure, and never throws.
 */
export type Zones = (zone: string, epochMs: number) => number | undefined;

/** The variables that a condition may read, and what its functions may ask. */
export interface CelEnv {
  readonly variables: Readonly<Record<string, CelType>>;
  /** Absent: zones by name are an error. */
  readonly zones?: Zones;
}

/** Kinds of values at run time; `map` covers objects. */
export type Kind = ScalarKind | "list" | "map" | "optional";

export const DYN: CelType = { kind: "dyn" };
export const BOOL: CelType = { kind: "bool" };
export const INT: CelType = { kind: "int" };
export const UINT: CelType = { kind: "uint" };
export const DOUBLE: CelType = { kind: "double" };
export const STRING: CelType = { kind: "string" };
export const BYTES: CelType = { kind: "bytes" };
export const TIMESTAMP: CelType = { kind: "timestamp" };
export const DURATION: CelType = { kind: "duration" };
export const DECIMAL: CelType = { kind: "decimal" };
export const TYPE: CelType = { kind: "type" };
export const STRINGS: CelType = { kind: "list", item: STRING };

/** Names of types as CEL values: `type(args.x) == string`. */
export const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ["bool", "bool"],
  ["int", "int"],
  ["uint", "uint"],
  ["double", "double"],
  ["string", "string"],
  ["bytes", "bytes"],
  ["list", "list"],
  ["map", "map"],
  ["null_type", "null_type"],
  ["type", "type"],
  ["optional_type", "optional_type"],
  ["google.protobuf.Timestamp", "google.protobuf.Timestamp"],
  ["google.protobuf.Duration", "google.protobuf.Duration"],
]);

/** The kind at run time that a static type promises, or null for `dyn`. */
export function kindOfType(type: CelType): Kind | null {
  if (type.kind === "dyn") return null;
  return type.kind === "object" ? "map" : type.kind;
}

/** int, uint and double count as one kind where values are compared. */
export function comparisonKind(kind: Kind): Kind | "number" {
  return kind === "int" || kind === "uint" || kind === "double" ? "number" : kind;
}

/** For messages: `a string`, `an int`. */
export function withArticle(kind: string): string {
  return `${/^[aeio]/.test(kind) ? "an" : "a"} ${kind}`;
}

/** The member's type; undefined when a closed object has no such field; null when the type has no members at all. */
export function memberType(type: CelType, field: string): CelType | undefined | null {
  switch (type.kind) {
    case "dyn":
      return DYN;
    case "map":
      return type.value;
    case "object":
      if (Object.hasOwn(type.fields, field)) return type.fields[field];
      return type.open ? DYN : undefined;
    default:
      return null;
  }
}

/** The type of what a macro binds its variable to. */
export function itemType(range: CelType): CelType {
  if (range.kind === "list") return range.item;
  return range.kind === "map" || range.kind === "object" ? STRING : DYN;
}

/** The type of a value that is either one or the other. */
export function join(a: CelType, b: CelType): CelType {
  if (a === b) return a;
  if (a.kind === "list" && b.kind === "list") return { kind: "list", item: join(a.item, b.item) };
  if (a.kind === "map" && b.kind === "map") return { kind: "map", value: join(a.value, b.value) };
  if (a.kind !== b.kind || a.kind === "object") return DYN;
  return a;
}
