/** Schemas as a framework's users write them, from their definition to a denial. */
import { type JsonObject, normalize, standardValidator } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const POLICY = `saferun: policy/v1
environments: { prod: {} }
rules: [{ id: all, tool: t, then: allow }]
`;

type More = Pick<Parameters<typeof loadPolicies>[1], "toolSchemas" | "validators">;

/** Whether the gate's policies would let these arguments through. */
function judge(more: More): (x: unknown) => boolean {
  const loaded = loadPolicies([{ file: "p.yaml", text: POLICY }], { hash: nodeHash, ...more });
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join("\n"));
  const context = {
    agent: "a",
    environment: "prod",
    principal: { id: "", kind: "none", roles: [], labels: {} },
    context: {},
    run: { id: "r", prompted: false, untrusted: false, turn: 0 },
    call: { id: "c", depth: 0, attempt: 1 },
    now: 0,
  } as const;
  return (x) => {
    const call = normalize({ tool: "t", args: { x }, agent: "a", environment: "prod" }, nodeHash);
    if (!call.ok) throw new Error(call.malformed.message);
    const { verdict, by } = loaded.policies.evaluate(call.call, context);
    expect(by).toEqual([verdict === "allow" ? "all" : "schema:t"]);
    return verdict === "allow";
  };
}

const leaf = fc.constantFrom<z.ZodType>(
  z.string(),
  z.string().min(2).max(4),
  z.string().regex(/^a/),
  z.int(),
  z.number().min(-1).lt(3),
  z.number().multipleOf(0.5),
  z.boolean(),
  z.null(),
  z.literal("a"),
  z.literal(1),
  z.enum(["a", "b"]),
  z.iso.date(),
);
const { schema } = fc.letrec<{ schema: z.ZodType }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((options) => z.union(options)),
    tie("schema").map((item) => z.array(item).max(3)),
    fc.tuple(tie("schema"), tie("schema")).map(([a, b]) => z.tuple([a, b])),
    tie("schema").map((item) => z.record(z.string().max(2), item)),
    fc.tuple(tie("schema"), tie("schema"), fc.boolean()).map(([a, b, strict]) => {
      const shape = { a, b: b.optional() };
      return strict ? z.strictObject(shape) : z.looseObject(shape);
    }),
  ),
}));
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("", "a", "b", "abc", "2024-02-29", 0, 1, 2.5, -1, 3, true, null),
    fc.array(tie("value"), { maxLength: 3 }),
    // A null at an optional property counts as absent here, and as a value in zod.
    fc.record({ a: tie("value"), b: tie("value").filter((one) => one !== null) }, { requiredKeys: ["a"] }),
    fc.dictionary(
      fc.constantFrom("a", "cc", "ddd"),
      tie("value").filter((one) => one !== null),
      { maxKeys: 3 },
    ),
  ),
})).value;

describe("the schemas that zod writes", () => {
  it("[P5~] let through what zod lets through, and nothing else; as does zod's own validator", () => {
    let fits = 0;
    fc.assert(
      fc.property(schema, fc.array(value, { minLength: 5, maxLength: 5 }), (x, values) => {
        const args = z.strictObject({ x });
        const written = z.toJSONSchema(args, { io: "input" }) as JsonObject;
        const bySchema = judge({ toolSchemas: { t: written } });
        const byValidator = judge({ validators: { t: standardValidator(args) } });
        for (const one of values) {
          const agrees = args.safeParse({ x: one }).success;
          if (agrees) fits++;
          expect(bySchema(one), JSON.stringify([written, one])).toBe(agrees);
          expect(byValidator(one)).toBe(agrees);
        }
      }),
      { numRuns: 400 },
    );
    expect(fits).toBeGreaterThan(30);
  });
});
