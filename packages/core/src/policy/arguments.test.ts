import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../value/json.ts";
import type { ArgumentValidator } from "./schema/types.ts";
import { ask, issuesOf, policiesOf } from "./testing/judging.ts";

const SCHEMA = {
  type: "object",
  properties: {
    amount: { type: "integer", minimum: 1 },
    rate: { type: "number" },
    currency: { enum: ["usd", "eur"] },
    note: { type: "string" },
    parent: { type: ["string", "null"] },
    to: { type: "array", items: { type: "object", properties: { mail: { type: "string" } }, required: ["mail"] } },
    who: { type: "object", properties: { id: { type: "string" }, name: { type: "string" } }, required: ["id"] },
    tags: { type: "object", additionalProperties: { type: "string" } },
  },
  required: ["amount", "currency"],
} as const;
const GOOD = { amount: 5, currency: "usd" };

function rule(when: string, then = "allow", more: JsonObject = {}): JsonObject {
  return { id: "r", tool: "t", when, then, ...more };
}
function issues(
  rules: JsonObject | readonly JsonObject[],
  tools: JsonObject = { t: { schema: SCHEMA } },
): readonly string[] {
  return issuesOf({ context: { who: "string", n: "int" }, tools, rules: Array.isArray(rules) ? rules : [rules] });
}

describe("conditions against the schema, at load", () => {
  it.each<[string, string]>([
    ["args.amuont > 5", "error unknown-arg: unknown argument `args.amuont`: did you mean `amount`? (`t`)"],
    ["args.amount > 5 && args.who.nam == 'x' && has(args.who)", "error unknown-arg: unknown argument `args.who.nam`"],
    ["args.amount == 'five'", "error wrong-type"],
    ["args.currency + 1 == 2", "error wrong-type"],
    ["has(args.to) && args.to.exists(one, one.mial == 'x')", "error unknown-arg: unknown argument `one.mial`"],
    ["args.note == 'x'", "error optional-arg: `args.note` may be absent in calls of `t`; ask `has(args.note)` first"],
    ["has(args.who.id) && args.who.id == 'x'", "error optional-arg: `args.who` may be absent"],
    ["has(args.who) && args.who.name == 'x'", "error optional-arg: `args.who.name` may be absent"],
  ])("[P1~] allow when %s", (when, says) => {
    expect(issues(rule(when)).join("\n")).toContain(says);
  });

  it.each([
    "args.amount > 5 && args.currency == 'usd'",
    "has(args.note) && args.note == 'x'",
    "args.?note.orValue('') == 'x'",
    "has(args.who) && args.who.id == 'x'",
    "has(args.who) && has(args.who.name) && args.who.name == 'x'",
    "args.?who.name.orValue('') == 'x'",
    "has(args.to) && args.to.all(one, one.mail != '')",
    "has(args.tags) && args.tags.all(key, key != '')",
    "has(args.rate) && args.rate / 2 > 1.5",
    "!has(args.parent) || args.parent == 'x'",
  ])("is content with %s", (when) => {
    expect(issues(rule(when))).toEqual([]);
  });

  it("an optional argument read by a deny or pause rule is a warning: the error matches", () => {
    for (const then of ["deny", "pause"]) {
      expect(issues(rule("args.note == 'x'", then))).toEqual([expect.stringMatching(/^warning optional-arg/)]);
      expect(issues(rule("args.nott == 'x'", then))).toEqual([expect.stringMatching(/^error unknown-arg/)]);
    }
  });

  it("a wide rule must suit each tool: an error where it allows, a warning where it restricts", () => {
    const other = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const tools = { t: { kind: "write", schema: SCHEMA }, u: { kind: "write", schema: other }, v: { kind: "write" } };
    const wide = (then: string) => ({ id: "r", kind: "write", when: "args.amount > 5", then });
    expect(issues(wide("allow"), tools)).toEqual([expect.stringMatching(/^error unknown-arg.*`u`/)]);
    expect(issues(wide("deny"), tools)).toEqual([expect.stringMatching(/^warning unknown-arg.*`u`/)]);
    expect(issues({ ...wide("allow"), tool: ["t", "v"] }, tools)).toEqual([]);
  });

  it("definitions are looked into, functions of the host are not", () => {
    const rest = { tools: { t: { schema: SCHEMA } }, define: { small: "args.amuont < 5" } };
    expect(issuesOf({ ...rest, rules: [rule("small")] }).join()).toContain("unknown-arg");
  });

  it.each<[JsonObject, string]>([
    [{ change: { clamp: "args.amuont", max: 5 } }, "error unknown-arg: `t` has no argument `amuont`"],
    [{ change: { clamp: "args.currency", max: 5 } }, "error wrong-type"],
    [{ change: { set: "args.amount", to: "'x'" } }, "error wrong-type"],
    [{ change: { set: "args.amount", to: "args.amount / 2" } }, ""],
    [{ change: { set: "args.rate", to: "1" } }, ""],
    [{ change: { set: "args.who.id", to: "agent" } }, ""],
  ])("changes fit it as well: %j", (more, says) => {
    expect(issues(rule("args.amount > 1", "allow", more)).join()).toContain(says);
    if (says === "") expect(issues(rule("args.amount > 1", "allow", more))).toEqual([]);
  });

  it.each<[Json, string]>([
    [{ properties: { a: { minumum: 1 } } }, "schema of `t` at `#/properties/a/minumum`"],
    ["./t.json", "the schema file `./t.json` cannot be read here"],
  ])("a schema that cannot be used is an error: %j", (schema, says) => {
    expect(issues([], { t: { schema } }).join()).toContain(says);
  });

  it("two entries that give a tool different schemas are an error, equal ones are not", () => {
    const a = { type: "object", properties: { n: { type: "integer" } } };
    expect(issues([], { t: { schema: a }, "t*": { schema: { properties: a.properties, type: "object" } } })).toEqual(
      [],
    );
    expect(issues([], { t: { schema: a }, "t*": { schema: SCHEMA } }).join()).toContain("has another schema");
  });
});

describe("arguments against the schema, at the gate", () => {
  const policies = policiesOf({
    context: { n: "int" },
    tools: { t: { schema: SCHEMA, aliases: ["mcp__t"] } },
    rules: [
      rule("has(args.rate) && args.rate / 2 == 2.5"),
      { id: "absent", tool: "t", when: "!has(args.parent)", then: "allow" },
    ],
  });

  it.each<[string, JsonObject]>([
    ["`amount` is required", { currency: "usd" }],
    ["`amount` must be an integer", { ...GOOD, amount: "5" }],
    ["`amount` must be at least 1", { ...GOOD, amount: 0 }],
    ["`x` is not an argument of this tool", { ...GOOD, x: 1 }],
    ["`to[0].mail` is required", { ...GOOD, to: [{}] }],
    ["`who` must be an object", { ...GOOD, who: "id" }],
  ])("[P5~] %s: denied, by the schema, without the value (trap 7)", (says, args) => {
    const decision = ask(policies, args);
    expect(decision).toMatchObject({ verdict: "deny", by: ["schema:t"], rules: [], pauses: [] });
    expect(decision.reason).toContain(says);
    expect(ask(policies, args, {}, "mcp__t").by).toEqual(["schema:t"]);
  });

  it("a `number` is a double also where it is whole", () => {
    expect(ask(policies, { ...GOOD, rate: 5, parent: "x" })).toMatchObject({ verdict: "allow", by: ["r"] });
    expect(ask(policies, { ...GOOD, rate: 5.5, parent: "x" }).verdict).toBe("deny");
  });

  it("a null at an optional argument is absent: taken out where the schema has none, read as absent where it has", () => {
    const out = ask(policies, { ...GOOD, note: null, to: [], who: { id: "x", name: null } });
    expect(out.changed).toEqual({ args: { ...GOOD, to: [], who: { id: "x" } }, paths: ["note", "who.name"] });
    const kept = ask(policies, { ...GOOD, parent: null });
    expect(kept).toMatchObject({ verdict: "allow", by: ["absent"] });
    expect(kept.changed).toBeUndefined();
    expect(ask(policies, { ...GOOD, amount: null }).by).toEqual(["schema:t"]);
  });
});

describe("the framework's own definitions", () => {
  const rules = [{ id: "r", tool: "t", then: "allow" }];
  const toolSchemas = { t: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } };

  it("[P5~] are used where the policies give no schema, by alias too, and make the tool known", () => {
    const policies = policiesOf({ rules }, { toolSchemas });
    expect(ask(policies, { n: 1 }).verdict).toBe("allow");
    expect(ask(policies, { n: "1" }).by).toEqual(["schema:t"]);
    const named = { tools: { mine: { aliases: ["t"] } }, rules: [{ id: "r", tool: "mine", then: "allow" }] };
    expect(ask(policiesOf(named, { toolSchemas }), { n: "1" }).by).toEqual(["schema:mine"]);
    const own = { tools: { t: { schema: { type: "object", additionalProperties: true } } }, rules };
    expect(ask(policiesOf(own, { toolSchemas }), { n: "1" }).verdict).toBe("allow");
    expect(issuesOf({ rules }, { toolSchemas: { t: { nullable: true } } }).join()).toMatch(
      /schema of `t`.*or give the tool a `schema` of your own/,
    );
  });

  it("are part of the revision, as are bind and change", () => {
    const base = { context: { who: "string" }, tools: { t: {} }, rules };
    const changed = [{ ...rules[0], change: { drop: "x" } }];
    const revisions = [
      policiesOf(base),
      policiesOf(base, { toolSchemas }),
      policiesOf(base, { validators: { t: { validate: () => [] } } }),
      policiesOf({ ...base, tools: { t: { schema: toolSchemas.t } } }),
      policiesOf({ ...base, tools: { t: { bind: { who: "context.who" } } } }),
      policiesOf({ ...base, rules: changed }),
      policiesOf({ ...base, rules: [{ ...rules[0], change: { drop: "y" } }] }),
    ].map(({ revision }) => revision);
    expect(new Set(revisions).size).toBe(revisions.length);
  });

  it("are not part of what the files say, which has a digest of its own", () => {
    const alone = policiesOf({ tools: { t: {} }, rules });
    expect(alone.written).toBe(alone.revision);
    const asked = policiesOf({ tools: { t: {} }, rules }, { toolSchemas, validators: { u: { validate: () => [] } } });
    expect([asked.written, asked.revision === alone.revision]).toEqual([alone.revision, false]);
  });

  it.each<[string, ArgumentValidator["validate"], boolean]>([
    ["content", () => [], true],
    ["not content", () => [{ path: "n", message: "is odd" }], false],
    [
      "throwing",
      () => {
        throw new Error("hunter2");
      },
      false,
    ],
    ["asynchronous", (() => Promise.resolve([])) as never, false],
    ["silent", (() => undefined) as never, false],
  ])("a validator that is %s (trap 5)", (_name, validate, fits) => {
    const decision = ask(policiesOf({ tools: { t: {} }, rules }, { validators: { t: { validate } } }), { n: 1 });
    expect(decision.verdict).toBe(fits ? "allow" : "deny");
    if (!fits) expect(decision.by).toEqual(["schema:t"]);
    expect(decision.reason).not.toContain("hunter2");
  });
});

describe("arguments that the host decides", () => {
  const bind = { "args.who.id": "context.who", rate: "context.n * 2", note: "principal.labels.tenant" };
  const tools = { t: { schema: SCHEMA, bind } };
  const context = { who: "u1", n: 3 };
  const policies = policiesOf({
    context: { who: "string", n: "int" },
    tools,
    rules: [rule("has(args.who) && args.who.id == context.who", "pause", { approval: { editable: ["amount"] } })],
  });

  it("[P8~] replace what the model wrote before every rule, also where it wrote nothing", () => {
    const bound = { ...GOOD, who: { id: "u1" }, rate: 6, note: "acme" };
    for (const args of [GOOD, { ...GOOD, who: { id: "evil" }, note: "evil" }, { ...GOOD, who: null }]) {
      const decision = ask(policies, args, context);
      expect(decision).toMatchObject({ verdict: "pause", by: ["r"] });
      expect(decision.changed?.args).toEqual(bound);
    }
    expect(ask(policies, { ...GOOD, who: { id: "evil", name: "n" } }, context).changed?.args).toMatchObject({
      who: { id: "u1", name: "n" },
    });
    expect(ask(policies, bound, context).changed).toBeUndefined();
    expect(policies.boundPaths("t")).toEqual(["note", "rate", "who.id"]);
    expect(policies.boundPaths("other")).toEqual([]);
  });

  it("a context that lacks what is bound denies, as does a value in the way", () => {
    expect(ask(policies, GOOD, { who: "u1" })).toMatchObject({ verdict: "deny", by: ["bind:t.rate"] });
    expect(ask(policies, GOOD, { who: 1, n: "3" })).toMatchObject({
      verdict: "deny",
      by: ["bind:t.rate", "bind:t.who.id"],
    });
    expect(ask(policies, { ...GOOD, who: "text" }, context)).toMatchObject({ verdict: "deny", by: ["bind:t.who.id"] });
  });

  it("are never edited: not by a rule that names the tool, and left out where a wide one is asked about", () => {
    const wide = { id: "w", label: "money", then: "pause", approval: { editable: ["amount", "who", "note"] } };
    const set = policiesOf({
      context: { who: "string", n: "int" },
      tools: { t: { ...tools.t, labels: ["money"] } },
      rules: [wide],
    });
    expect(ask(set, GOOD, context).pauses[0]?.approval.editable).toEqual(["amount"]);
    expect(issues(rule("args.amount > 1", "pause", { approval: { editable: ["who"] } }), tools).join()).toContain(
      "so that nobody may edit it",
    );
  });

  it.each<[JsonObject, string]>([
    [{ bind: { note: "args.note" } }, "reads `args`"],
    [{ bind: { note: "string(now)" } }, "reads `now`"],
    [{ bind: { note: "context.whom" } }, "unknown field `context.whom`"],
    [{ bind: { note: "context.n" } }, "is of type string, but `context.n` gives a int"],
    [{ bind: { notes: "context.who" } }, "error unknown-arg: `t` has no argument `notes`"],
    [{ bind: { who: "{'id': 'x'}", "who.id": "context.who" } }, "are bound both"],
    [{ bind: { "a.__proto__": "context.who" } }, "is no argument's path"],
  ])("%j is refused at load", (more, says) => {
    expect(issues([], { t: { schema: SCHEMA, ...more } }).join()).toContain(says);
  });

  it("are not changed by rules, and two entries do not bind one differently", () => {
    expect(
      issues(rule("args.amount > 1", "allow", { change: { set: "who", to: "{'id': 'x'}" } }), tools).join(),
    ).toContain("no rule changes it");
    const both = { t: { bind: { note: "context.who" } }, "*": { bind: { note: "agent" } } };
    expect(issues([], both).join()).toContain("is bound differently");
    expect(issues([], { t: { bind: { note: "agent" } }, "*": { bind: { note: "agent" } } })).toEqual([]);
  });

  it("a glob binds tools that nobody has named, and its change cannot undo that", () => {
    const set = policiesOf({
      context: { who: "string" },
      tools: { "crm.*": { bind: { tenant: "context.who" } } },
      rules: [{ id: "r", tool: "crm.*", then: "allow", change: { set: "tenant", to: "'evil'" } }],
    });
    expect(ask(set, { tenant: "evil" }, { who: "acme" }, "crm.find").changed?.args).toEqual({ tenant: "acme" });
  });
});
