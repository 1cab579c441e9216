import { describe, expect, it } from "vitest";
import { KEPT_WHOLE } from "../keeping.ts";
import type { JsonObject } from "../value/json.ts";
import { issuesOf, policiesOf } from "./testing/judging.ts";

const SCHEMA = {
  type: "object",
  properties: { to: { type: "string" }, lines: { type: "array", items: { type: "object" } } },
  additionalProperties: false,
};
const RULE = { id: "r", tool: "*", then: "allow" };
const of = (tools: JsonObject, environments: JsonObject = { prod: {} }): JsonObject => ({
  environments,
  tools,
  rules: [RULE],
});

describe("what policies say of the record", () => {
  it("is all of it where they say nothing, and the same object for every such call", () => {
    const set = policiesOf(of({ t: { kind: "read", index: ["to"] } }));
    expect(set.keeping("t", "prod")).toBe(KEPT_WHOLE);
    expect(set.keeping("unheard-of", "nowhere")).toBe(KEPT_WHOLE);
    expect(set.indexed).toEqual(["to"]);
  });

  it("is the stricter word of the tool, its globs and the environment", () => {
    const tools = { "t*": { record: "shape" }, t: { kind: "read" }, tt: { record: "digest" } };
    const set = policiesOf(of(tools, { prod: {}, lab: { record: "digest" } }));
    expect(set.keeping("t", "prod").record).toBe("shape");
    expect(set.keeping("tt", "prod").record).toBe("digest");
    expect(set.keeping("t", "lab").record).toBe("digest");
    expect(set.keeping("other", "prod").record).toBe("full");
    expect(set.keeping("other", "lab").record).toBe("digest");
    // An environment that nobody declared is none to keep more in.
    expect(set.keeping("other", "nowhere").record).toBe("digest");
  });

  it("is sealed by subject over by run over not at all", () => {
    const tools = { "t*": { seal: "run" }, t: { seal: "subject" }, tt: { kind: "read" } };
    const set = policiesOf(of(tools, { prod: {}, lab: { seal: "subject" }, ward: { seal: "run" } }));
    expect(set.keeping("t", "prod").seal).toBe("subject");
    expect(set.keeping("tt", "prod").seal).toBe("run");
    expect(set.keeping("tt", "lab").seal).toBe("subject");
    expect(set.keeping("other", "ward")).toEqual({ record: "full", unsearched: [], subject: null, seal: "run" });
    expect(set.keeping("other", "prod")).toBe(KEPT_WHOLE);
    // An environment that nobody declared is none to leave more open in.
    expect(set.keeping("other", "nowhere").seal).toBe("subject");
  });

  it("adds up over the entries of a tool", () => {
    const tools = {
      "t*": { search: { off: ["args.lines[].sku"] }, index: ["to"] },
      t: { search: { off: ["to.name"] }, subject: "args.to", index: ["lines[].price"] },
    };
    const set = policiesOf(of(tools));
    expect(set.keeping("t", "prod")).toEqual({
      record: "full",
      unsearched: ["lines[].sku", "to.name"],
      subject: "to",
    });
    expect(set.indexed).toEqual(["lines[].price", "to"]);
    expect(policiesOf(of({ t: { search: "off" } })).keeping("t", "prod").unsearched).toEqual(["$"]);
  });

  it("is part of the revision where it is said, and only there", () => {
    const revision = (tool: JsonObject, environment: JsonObject = {}) =>
      policiesOf(of({ t: { kind: "read", ...tool } }, { prod: environment })).revision;
    const said = [
      { record: "shape" },
      { search: "off" },
      { index: ["to"] },
      { subject: "to" },
      { seal: "run" },
    ] as const;
    const revisions = [revision({}), ...said.map((one) => revision(one)), revision({}, { record: "digest" })];
    expect(new Set(revisions).size).toBe(revisions.length);
    expect(revisions).not.toContain(revision({}, { seal: "run" }));
    expect(revision({}, { record: "full" })).toBe(revision({}));
  });

  it.each<[string, JsonObject, string]>([
    ["no such word", { t: { record: "none" } }, "error bad-value"],
    ["no such key", { t: { seal: "none" } }, "error bad-value"],
    ["a search that is neither", { t: { search: "on" } }, "error bad-value"],
    ["a search without its paths", { t: { search: {} } }, "error missing-key"],
    ["an empty list", { t: { index: [] } }, "error empty"],
    ["no paths off", { t: { search: { off: [] } } }, "error empty"],
    ["a path that is none", { t: { index: ["to..x"] } }, "error bad-name"],
    ["an argument that the tool does not have", { t: { schema: SCHEMA, index: ["too"] } }, "error unknown-arg"],
    ["the same for search", { t: { schema: SCHEMA, search: { off: ["line[].sku"] } } }, "error unknown-arg"],
    ["the same for the subject", { t: { schema: SCHEMA, subject: "args.whom" } }, "error unknown-arg"],
    ["a path both in the index and off", { t: { index: ["to.name"], search: { off: ["to"] } } }, "error conflict"],
    ["an index of what is all off", { t: { index: ["to"], search: "off" } }, "error conflict"],
    ["two subjects", { t: { subject: "to" }, "t*": { subject: "from" } }, "error conflict"],
  ])("%s is an error at load", (_what, tools, expected) => {
    expect(issuesOf(of(tools))).toContainEqual(expect.stringContaining(expected));
  });
});
