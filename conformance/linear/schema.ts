/** Linear's schema, as far as SafeRun uses it. */
import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";

const schema = buildSchema(readFileSync(new URL("schema.graphql", import.meta.url), "utf8"));

/** What the schema does not know in a query or mutation. */
export function problemsOf(document: string): readonly string[] {
  return validate(schema, parse(document)).map(({ message }) => message);
}
