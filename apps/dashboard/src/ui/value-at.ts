/** The value at a path such as `lines[0].amount`; undefined where there is none. */
export function valueAt(args: unknown, path: string): unknown {
  let value = args;
  for (const part of path.match(/[^.[\]]+/g) ?? []) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}
