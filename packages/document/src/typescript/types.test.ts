/** Types of conditions. The lines marked as errors are checked by `tsc`, which refuses a mark without an error. */
import { describe, expect, expectTypeOf, it } from "vitest";
import { hash } from "../../test/loading.ts";
import { loadPolicies } from "../load.ts";
import type { AnyExpr, Condition, ExprOf, ListExpr, MapExpr, NumberExpr, TextExpr } from "./expressions.ts";
import { type FromJsonSchema, opaque, policy, rule, type StandardSchema, tool } from "./index.ts";

const refund = tool("stripe.refund", {
  kind: "write",
  schema: {
    type: "object",
    properties: {
      amount: { type: "integer" },
      currency: { enum: ["usd", "eur"] },
      note: { type: ["string", "null"] },
      to: { type: "array", items: { type: "object", properties: { mail: { type: "string" } } } },
    },
    required: ["amount"],
  },
});
const cancel = tool("stripe.cancel", {
  schema: { type: "object", properties: { amount: { type: "number" }, why: { type: "string" } } },
});
/** What zod, valibot and arktype give, as far as types go. */
interface Typed<Input> extends StandardSchema {
  readonly "~standard": { readonly version: 1; readonly types?: { readonly input: Input } | undefined };
}
const typed: Typed<{ amount: number; tags?: string[] | undefined }> = { "~standard": { version: 1 } };
const standard = tool("mail.send", { schema: typed });

const base = { id: "r", then: "deny" } as const;

describe("types", () => {
  it("[P2~] an argument that the schema does not have, or a method that its type has not, does not compile", () => {
    rule({ ...base, tool: refund, when: (c) => c.args.amount.gt(5).and(c.args.currency.eq("usd")) });
    // @ts-expect-error a misspelt argument
    rule({ ...base, tool: refund, when: (c) => c.args.amuont.gt(5) });
    // @ts-expect-error a number has no `startsWith`
    rule({ ...base, tool: refund, when: (c) => c.args.amount.startsWith("x") });
    // @ts-expect-error a number is compared with a number
    rule({ ...base, tool: refund, when: (c) => c.args.amount.gt("5") });
    // @ts-expect-error a value that the schema does not allow
    rule({ ...base, tool: refund, when: (c) => c.args.currency.eq("usdd") });
    // @ts-expect-error a number is no condition
    rule({ ...base, tool: refund, when: (c) => c.args.amount });
    // @ts-expect-error the operators of JavaScript are not those of conditions
    rule({ ...base, tool: refund, when: (c) => c.args.amount > 5 });
    // @ts-expect-error `and` joins conditions
    rule({ ...base, tool: refund, when: (c) => c.args.amount.gt(5).and(true) });
    rule({ ...base, tool: refund, when: (c) => c.args.to.exists((one) => one.mail.endsWith("@x.com")) });
    // @ts-expect-error an item has no such field
    rule({ ...base, tool: refund, when: (c) => c.args.to.exists((one) => one.email.endsWith("@x.com")) });
    rule({ ...base, tool: standard, when: (c) => c.args.tags.includes("x").or(c.args.amount.lt(1)) });
    // @ts-expect-error a misspelt argument of a Standard Schema
    rule({ ...base, tool: standard, when: (c) => c.args.tag.includes("x") });
    expect(refund.name).toBe("stripe.refund");
  });

  it("[P2~] several tools have what all of them have; a tool without a schema has fields by name", () => {
    rule({ ...base, tool: [refund, cancel], when: (c) => c.args.amount.gt(5) });
    // @ts-expect-error only one of the tools has it
    rule({ ...base, tool: [refund, cancel], when: (c) => c.args.why.eq("x") });
    rule({ ...base, tool: [refund, "other"], when: (c) => c.args.field("amount").gt(5) });
    rule({ ...base, kind: "read", when: (c) => c.args.field("amount").gt(5) });
    // @ts-expect-error nothing is known of its arguments
    rule({ ...base, tool: "stripe.refund", when: (c) => c.args.amount.gt(5) });
    expect(refund.issues).toEqual([]);
  });

  it("[P2~] a Standard Schema is what the gate checks with, or is refused where it gives no JSON Schema (trap 4)", () => {
    const json = { type: "object", properties: { amount: { type: "number" } }, required: ["amount"] };
    const input = ({ target }: { target: string }) => ({ $schema: target, ...json });
    const converts = { "~standard": { version: 1, jsonSchema: { input } } } as const;
    const written = (schema: object) => {
      const found = tool("mail.send", { schema: schema as StandardSchema }).node;
      return found.kind === "map" ? found.entries.find(({ key }) => key === "schema")?.value : undefined;
    };
    expect(written(converts)).toEqual(written({ $schema: "draft-2020-12", ...json }));
    expect(standard.issues).toMatchObject([{ code: "bad-value", file: expect.stringContaining("types.test.ts") }]);
    const fails = () => {
      throw new Error("no JSON Schema for a date");
    };
    const refused = { "~standard": { version: 1, jsonSchema: { input: fails } } } as const;
    expect(tool("mail.send", { schema: refused }).issues).toMatchObject([{ code: "bad-value" }]);
  });

  it("[P2~] past the type checker, the load says the same", () => {
    const misspelt = rule({ ...base, tool: refund, when: (c) => Reflect.get(c.args, "amuont").gt(5) });
    const loaded = loadPolicies([policy({ environments: { prod: {} }, rules: [misspelt] })], { hash });
    expect(loaded.ok ? loaded.warnings : loaded.issues).toMatchObject([{ rule: "r", suggestion: "amount" }]);
  });

  it("the keys and words of the format are those of its definition", () => {
    // @ts-expect-error no such verdict
    rule({ id: "r", tool: refund, then: "denyy" });
    // @ts-expect-error no such key
    rule({ id: "r", tool: refund, then: "deny", wehn: "args.amount > 5" });
    // @ts-expect-error a key is missing
    rule({ tool: refund, then: "deny" });
    // @ts-expect-error no such key of a policy
    policy({ enviroments: {} });
    // @ts-expect-error no such kind
    tool("x", { kind: "wrte" });
    expect(policy({}).issues).toEqual([]);
  });

  it("an opaque function sees the arguments of its tool", () => {
    opaque((ctx) => ctx.args.amount > 5, { version: "1", tool: refund });
    // @ts-expect-error a misspelt argument
    opaque((ctx) => ctx.args.amuont > 5, { version: "1", tool: refund });
    // @ts-expect-error a promise is no answer
    opaque(async () => true, { version: "1" });
    // @ts-expect-error its version stands for it in the revision
    opaque(() => true);
    expectTypeOf(opaque).returns.toHaveProperty("version");
  });

  it("expressions follow the types of the values", () => {
    expectTypeOf<ExprOf<string>>().toEqualTypeOf<TextExpr>();
    expectTypeOf<ExprOf<"a" | "b" | null | undefined>>().toEqualTypeOf<TextExpr<"a" | "b">>();
    expectTypeOf<ExprOf<number | bigint>>().toEqualTypeOf<NumberExpr>();
    expectTypeOf<ExprOf<boolean>>().toEqualTypeOf<Condition>();
    expectTypeOf<ExprOf<string[]>>().toEqualTypeOf<ListExpr<TextExpr>>();
    expectTypeOf<ExprOf<Record<string, number>>>().toEqualTypeOf<MapExpr<NumberExpr>>();
    expectTypeOf<ExprOf<string | number>>().toEqualTypeOf<AnyExpr>();
    expectTypeOf<ExprOf<unknown>>().toEqualTypeOf<AnyExpr>();
    expectTypeOf<FromJsonSchema<{ type: "array"; items: { const: 3 } }>>().toEqualTypeOf<readonly 3[]>();
    expectTypeOf<FromJsonSchema<{ anyOf: [{ type: "string" }, { type: "null" }] }>>().toEqualTypeOf<string | null>();
    expectTypeOf<
      FromJsonSchema<{ type: "object"; properties: { a: { type: "string" }; b: { type: "number" } }; required: ["a"] }>
    >().toEqualTypeOf<{ readonly a: string; readonly b?: number }>();
  });
});
