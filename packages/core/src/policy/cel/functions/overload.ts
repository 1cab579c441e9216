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
