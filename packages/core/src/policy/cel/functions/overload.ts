/** How a function of the language is declared: its name, what it takes, what it gives. */
import type { CelType, Kind } from "../types.ts";
import type {
  CelList,
  CelMap,
  CelOptional,
  CelRecord,
  CelTypeValue,
  CelValue,
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
  type: CelTypeValue;
  list: CelList;
  map: CelMap | CelRecord;
  optional: CelOptional;
}

type Values<Params extends readonly Param[]> = { [Index in keyof Params]: ParamValues[Params[Index]] };

export interface Overload {
  readonly name: string;
  /** `x.name(…)`, with the receiver as the first parameter. */
  readonly method: boolean;
  readonly params: readonly Param[];
  readonly result: CelType;
  /** True where the work grows with the number of items of a list, not with the size of a text. */
  readonly loops: boolean;
  /** `values` have the kinds of `params`. */
  invoke(values: readonly CelValue[], offset: number): Outcome;
}

/** `name(params)`. */
export function global<const Params extends readonly Param[]>(
  name: string,
  params: Params,
  result: CelType,
  body: (values: Values<Params>, offset: number) => Outcome,
): Overload {
  return declare(name, false, params, result, body);
}

/** `params[0].name(params…)`. */
export function method<const Params extends readonly Param[]>(
  name: string,
  params: Params,
  result: CelType,
  body: (values: Values<Params>, offset: number) => Outcome,
): Overload {
  return declare(name, true, params, result, body);
}

function declare<Params extends readonly Param[]>(
  name: string,
  isMethod: boolean,
  params: Params,
  result: CelType,
  body: (values: Values<Params>, offset: number) => Outcome,
): Overload {
  return {
    name,
    method: isMethod,
    params,
    result,
    loops: name === "join",
    // The dispatcher has compared the kinds with `params`: this is the one place where the types follow.
    invoke: (values, offset) => body(values as Values<Params>, offset),
  };
}
