/** What rows of older stores keep by key: a map in the oldest, then a list of pairs. */
export type Earlier<Value> = Readonly<Record<string, Value>> | readonly (readonly [key: string, value: Value])[];

export function pairsOf<Value>(earlier: Earlier<Value>): readonly (readonly [key: string, value: Value])[] {
  return isList(earlier) ? earlier : Object.entries(earlier);
}

function isList<Value>(earlier: Earlier<Value>): earlier is readonly (readonly [key: string, value: Value])[] {
  return Array.isArray(earlier);
}
