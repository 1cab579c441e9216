/** How a function of the language is declared: its name, what it takes, what it gives. */
import type { CelType, Kind, Zones } from "../types.ts";
import type {
  CelList,
  CelMap,
  CelOptional,
  CelRecord,
  CelTypeValue,
  CelValue,
  Decimal,
  Double,
  Duration,
  Outcome,
  Timestamp,
  Uint,
} from "../values.ts";

export type Param = Kind | "dyn";

interface ParamValues {
  dyn: CelValue;
  bool: boolean;
  int: number | bigint;
  uint: Uint;
  double: Double;
  string: string;
  bytes: Uint8Array;
  null: null;
  timestamp: Timestamp;
  duration: Duration;
  decimal: Decimal;
  type: CelTypeValue;
  list: CelList;
  map: CelMap | CelRecord;
  optional: CelOptional;
}

type Values<Params extends readonly Param[]> = { [Index in keyof Params]: ParamValues[Params[Index]] };

type Body<Params extends readonly Param[]> = (
  values: Values<Params>,
  offset: number,
  zones: Zones | undefined,
) => Outcome;

export interface Overload {
  readonly name: string;
  /** `x.name(…)`, with the receiver as the first parameter. */
  readonly method: boolean;
  readonly params: readonly Param[];
  readonly result: CelType;
  /** True where the work grows with the number of items of a list, not with the size of a text. */
  readonly loops: boolean;
  /** Steps of one call, besides those for the size of what it reads. */
  readonly steps: number;
  /** How often it reads each of its texts, at most. */
  readonly passes: number;
  /** `values` have the kinds of `params`. */
  invoke(values: readonly CelValue[], offset: number, zones: Zones | undefined): Outcome;
}

/** `name(params)`. */
export function global<const Params extends readonly Param[]>(
  name: string,
  params: Params,
  result: CelType,
  body: Body<Params>,
): Overload {
  return declare(name, false, params, result, body);
}

/** `params[0].name(params…)`. */
export function method<const Params extends readonly Param[]>(
  name: string,
  params: Params,
  result: CelType,
  body: Body<Params>,
): Overload {
  return declare(name, true, params, result, body);
}

function declare<Params extends readonly Param[]>(
  name: string,
  isMethod: boolean,
  params: Params,
  result: CelType,
  body: Body<Params>,
): Overload {
  return {
    name,
    method: isMethod,
    params,
    result,
    loops: false,
    steps: 0,
    passes: 1,
    // The dispatcher has compared the kinds with `params`: this is the one place where the types follow.
    invoke: (values, offset, zones) => body(values as Values<Params>, offset, zones),
  };
}

/** The same function, paid for by the items of the lists that it reads. */
export function perItem(overload: Overload): Overload {
  return { ...overload, loops: true };
}

/** The same function, where one call does as much work as so many steps. */
export function costing(steps: number, overload: Overload): Overload {
  return { ...overload, steps };
}

/** The same function, where one call reads its texts so many times. */
export function reading(passes: number, overload: Overload): Overload {
  return { ...overload, passes };
}

/** `text.contains(part)` with kinds for names, and what it gives: `string.contains(string): bool`. */
export function signatureOf(overload: Overload): string {
  return `${formOf(overload)}: ${typeText(overload.result)}`;
}

/** How it is written. */
export function formOf({ name, method: isMethod, params }: Overload): string {
  const kinds = params.map((param) => (param === "dyn" ? "value" : param));
  if (!isMethod) return `${name}(${kinds.join(", ")})`;
  return `${kinds[0] ?? "value"}.${name}(${kinds.slice(1).join(", ")})`;
}

function typeText(type: CelType): string {
  switch (type.kind) {
    case "dyn":
      return "value";
    case "list":
      return `list(${typeText(type.item)})`;
    case "map":
      return `map(string, ${typeText(type.value)})`;
    case "object":
      return `{${Object.entries(type.fields)
        .map(([name, field]) => `${name}: ${typeText(field)}`)
        .join(", ")}}`;
    default:
      return type.kind;
  }
}
