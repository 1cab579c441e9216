/** Values that may be absent: `args.?note.orValue("")`. */
import { Fault } from "../issues.ts";
import { BOOL, DYN } from "../types.ts";
import { CelOptional, type CelValue, isList, isMap, keysOf, NONE, numberOf } from "../values.ts";
import { global, method, type Overload } from "./overload.ts";

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === "") return true;
  const number = numberOf(value);
  if (number !== undefined) return number === 0 || number === 0n;
  if (isList(value) || value instanceof Uint8Array) return value.length === 0;
  return isMap(value) && keysOf(value).length === 0;
}

export const OPTIONAL_FUNCTIONS: readonly Overload[] = [
  global("optional.of", ["dyn"], DYN, ([value]) => new CelOptional(value)),
  global("optional.ofNonZeroValue", ["dyn"], DYN, ([value]) => (isZero(value) ? NONE : new CelOptional(value))),
  global("optional.none", [], DYN, () => NONE),
  method("hasValue", ["optional"], BOOL, ([optional]) => optional.value !== undefined),
  method("value", ["optional"], DYN, ([optional], offset) =>
    optional.value === undefined ? new Fault("`value` of nothing: ask `hasValue()` first", offset) : optional.value,
  ),
  method("or", ["optional", "optional"], DYN, ([optional, other]) => (optional.value === undefined ? other : optional)),
  method("orValue", ["optional", "dyn"], DYN, ([optional, other]) =>
    optional.value === undefined ? other : optional.value,
  ),
];
