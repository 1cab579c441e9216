/** What the Linear channel says, against Linear's own schema: a field or an input that is not published fails here. */
import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { DOCUMENTS } from "../../packages/channels/src/linear/documents.ts";

const schema = buildSchema(readFileSync(new URL("schema.graphql", import.meta.url), "utf8"));
const problems = (document: string) => validate(schema, parse(document)).map(({ message }) => message);

describe("Linear's schema", () => {
  it.each(Object.entries(DOCUMENTS))("knows everything in `%s` [A6~]", (_, document) => {
    expect(problems(document)).toEqual([]);
  });

  it("would say so if it did not", () => {
    expect(problems("query { viewer { shoeSize } }")).toEqual(['Cannot query field "shoeSize" on type "User".']);
    expect(problems(DOCUMENTS.createActivity.replace("AgentActivityCreateInput!", "String!"))).not.toEqual([]);
  });
});
