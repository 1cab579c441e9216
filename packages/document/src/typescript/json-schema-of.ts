/** A tool's schema, as it was written → the JSON Schema that the gate checks arguments with. */
import type { Place } from "./to-tree.ts";

/** Standard Schema's own way to say it; zod, valibot and arktype have it, older releases of theirs do not. */
const TARGET = { target: "draft-2020-12" };

/** JSON Schema stays as it is. What gives none is reported: a schema that nobody checks would be believed all the same. */
export function jsonSchemaOf(schema: unknown, tool: string, place: Place): unknown {
  const standard = member(schema, "~standard");
  if (standard === undefined) return schema;
  const converter = member(standard, "jsonSchema");
  const input = member(converter, "input");
  try {
    if (typeof input === "function") return JSON.parse(JSON.stringify(Reflect.apply(input, converter, [TARGET])));
  } catch {
    // Said below: a schema may hold what JSON Schema does not.
  }
  const message = `the schema of \`${tool}\` gives no JSON Schema to check arguments with; write it as JSON Schema`;
  place.report({ code: "bad-value", message });
  return {};
}

function member(of: unknown, key: string): unknown {
  if ((typeof of !== "object" && typeof of !== "function") || of === null) return undefined;
  return Reflect.get(of, key);
}
