/** The value at a path such as `lines[0].amount`, a key that reads like a path quoted: `to["a.b"]`; undefined where there is none. */
export function valueAt(args: unknown, path: string): unknown {
  let value = args;
  for (const [part, quoted] of path.matchAll(/\[("(?:[^"\\]|\\.)*")\]|[^.[\]]+/g)) {
    const key = quoted === undefined ? part : String(JSON.parse(quoted));
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}
