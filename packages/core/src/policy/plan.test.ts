import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../value/json.ts";
import { compileCel, parseCel } from "./cel/index.ts";
import { ASK, FALSE, Planner, TRUE } from "./plan.ts";

const constants = new Map<string, Json>([
  ["limit", 10],
  ["sanctioned", ["KP", "IR"]],
  ["home", "CH"],
]);
const env = {
  variables: {
    args: { kind: "object", fields: {}, open: true },
    limit: { kind: "int" },
    sanctioned: { kind: "list", item: { kind: "string" } },
    home: { kind: "string" },
  },
} as const;

function parse(source: string) {
  const parsed = parseCel(source);
  if (!parsed.ok) throw new Error(`${source}: ${parsed.issues[0]?.message}`);
  return parsed.expr;
}

function planOf(...conditions: readonly (string | null)[]) {
  const rules = conditions.map((source) => ({ condition: source === null ? null : parse(source), speaks: false }));
  return new Planner(constants).plan(rules);
}

function planned(source: string, args: JsonObject) {
  const plan = planOf(source);
  return plan.answer(0, plan.read(args));
}

function reference(source: string, args: JsonObject): boolean | "error" {
  const said = compileCel(parse(source), env).tryBool({ args, ...Object.fromEntries(constants) });
  return typeof said === "boolean" ? said : "error";
}

describe("the plan of a tool's conditions", () => {
  it.each([
    ["args.amount <= 50", { amount: 50 }, TRUE],
    ["50 > args.amount", { amount: 50 }, FALSE],
    ["args.amount > 0 && args.amount <= limit", { amount: 11 }, FALSE],
    ["args.who.country in sanctioned", { who: { country: "IR" } }, TRUE],
    ["!(args.who.country == home)", { who: { country: "CH" } }, FALSE],
    ["args.urgent", { urgent: true }, TRUE],
    ["true", {}, TRUE],
  ])("is sure of `%s`", (source, args, expected) => {
    expect(planned(source, args)).toBe(expected);
  });

  it.each([
    ["a missing argument", "args.amount <= 50", {}],
    ["a text where a number is meant (trap 7)", "args.amount <= 50", { amount: "1,000" }],
    ["a list where a text is meant (trap 7)", "args.country in sanctioned", { country: ["KP"] }],
    ["a null", 'args.country == "CH"', { country: null }],
    ["a name of the prototype", "args.constructor == 1", {}],
    ["a member of a text", "args.name.length == 3", { name: "abc" }],
    ["a function", 'args.name.startsWith("a")', { name: "abc" }],
    ["a text over the bound", 'args.name != "a"', { name: "x".repeat(300_000) }],
  ])("leaves %s to the reference", (_name, source, args) => {
    expect(planned(source, args)).toBe(ASK);
  });

  it("lets a decided side absorb one that it is not sure of, as CEL does with errors", () => {
    expect(planned("args.missing == 1 && args.amount > 50", { amount: 1 })).toBe(FALSE);
    expect(planned("args.missing == 1 || args.amount < 50", { amount: 1 })).toBe(TRUE);
    expect(planned("args.missing == 1 || args.amount > 50", { amount: 1 })).toBe(ASK);
  });

  it("never contradicts the reference, and is sure of nothing that is an error there", () => {
    const path = fc.constantFrom("args.a", "args.b", "args.c.d", 'args["a"]', "args.missing");
    const constant = fc.constantFrom(
      "0",
      "10",
      "2.5",
      "-1",
      '"CH"',
      '"x"',
      "limit",
      "home",
      "true",
      "null",
      "[1]",
      '["CH", "KP"]',
      "sanctioned",
    );
    const operator = fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "in");
    const atom = fc.oneof(
      fc.tuple(path, operator, constant).map((parts) => parts.join(" ")),
      fc.tuple(constant, operator, path).map((parts) => parts.join(" ")),
      path,
      fc.constantFrom("true", "false", "has(args.a)", 'args.a.startsWith("C")', "size(args.b) > 1"),
    );
    const condition = fc.letrec((tie) => ({
      expr: fc.oneof(
        { depthSize: "small" },
        atom,
        fc.tuple(tie("expr"), tie("expr")).map(([a, b]) => `(${a} && ${b})`),
        fc.tuple(tie("expr"), tie("expr"), tie("expr")).map(([a, b, c]) => `(${a} || ${b} || ${c})`),
        tie("expr").map((a) => `!(${a})`),
      ),
    })).expr as fc.Arbitrary<string>;
    const value = fc.oneof(
      fc.constantFrom<Json>(0, 10, 2.5, 3_000_000_000, -1, "CH", "KP", "x", true, false, null, []),
      fc.jsonValue(),
    );
    const args = fc.record({ a: value, b: value, c: fc.oneof(value, fc.record({ d: value })) }, { requiredKeys: [] });
    fc.assert(
      fc.property(condition, args, (source, given) => {
        const answer = planned(source, given as JsonObject);
        if (answer !== ASK) expect(answer === TRUE).toBe(reference(source, given as JsonObject));
      }),
      { numRuns: 3_000 },
    );
  });

  it("keeps the rules of a tool apart", () => {
    const plan = planOf("args.a == 1", null, "args.b == 1", "args.a == 2");
    const readings = plan.read({ a: 1, b: 2 });
    expect([0, 1, 2, 3].map((rule) => plan.answer(rule, readings))).toEqual([TRUE, TRUE, FALSE, FALSE]);
  });

  it("shares what two tools have in common and mixes up nothing", () => {
    const planner = new Planner(constants);
    const one = planner.plan([{ condition: parse('args.a == "x" || args.b in ["x", "y"]'), speaks: true }]);
    const two = planner.plan([{ condition: parse('args.b == "x" || args.a in ["y", "x"]'), speaks: false }]);
    expect([one.answer(0, one.read({ a: "x", b: "z" })), two.answer(0, two.read({ a: "z", b: "z" }))]).toEqual([
      TRUE,
      FALSE,
    ]);
    expect([one.speaks(0), two.speaks(0)]).toEqual([true, false]);
  });

  it("knows nothing of a rule that it does not have", () => {
    expect(planOf("true").answer(5, [])).toBe(ASK);
  });
});
