/** What the Linear channel says, against Linear's own schema: a field or an input that is not published fails here. */
import { describe, expect, it } from "vitest";
import { DOCUMENTS } from "../../packages/channels/src/linear/documents.ts";
import { problemsOf } from "./schema.ts";

describe("Linear's schema", () => {
  it.each(Object.entries(DOCUMENTS))("knows everything in `%s` [A6~]", (_, document) => {
    expect(problemsOf(document)).toEqual([]);
  });

  it("would say so if it did not", () => {
    expect(problemsOf("query { viewer { shoeSize } }")).toEqual(['Cannot query field "shoeSize" on type "User".']);
    expect(problemsOf(DOCUMENTS.createActivity.replace("AgentActivityCreateInput!", "String!"))).not.toEqual([]);
  });
});
