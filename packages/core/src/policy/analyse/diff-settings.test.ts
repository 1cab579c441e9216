import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../value/json.ts";
import { checkPolicies } from "../check.ts";
import { treeOf } from "../testing/tree-of.ts";
import { diffPolicies } from "./diff.ts";
import { diffSettings } from "./diff-settings.ts";

function modelOf(rest: JsonObject) {
  const source = {
    saferun: "policy/v1",
    environments: { prod: {} },
    tools: { pay: { kind: "write" } },
    rules: [{ id: "all", tool: "pay", then: "allow" }],
    ...rest,
  };
  const checked = checkPolicies([treeOf("p", source as Json)]);
  if (!checked.ok) throw new Error(checked.issues.map(({ message }) => message).join("\n"));
  return checked.model;
}

const budget = (more: object = {}) => ({
  budgets: [{ id: "b", tool: "pay", unit: "calls", per: { window: "ever" }, limit: 10, over: "deny", ...more }],
});

const said = (before: object, after: object) =>
  diffSettings(modelOf(before as JsonObject), modelOf(after as JsonObject)).map(
    ({ what, name, change, text }) => `${what} ${name} ${change}: ${text}`,
  );

describe("settings of two policy sets", () => {
  it.each<[object, object, RegExp]>([
    [budget(), budget({ limit: 20 }), /^budget b looser: `limit`: 10\S* → 20/],
    [budget(), budget({ limit: 5 }), /^budget b tighter/],
    [budget(), {}, /^budget b looser: is not declared any more/],
    [{}, budget(), /^budget b tighter: is new/],
    [budget(), budget({ over: "pause" }), /^budget b looser: `over`: deny → pause/],
    [budget(), budget({ id: "c" }), /^budget b different: is called `c` now: it starts with empty pots/],
    [budget(), budget({ per: { window: "run" } }), /^budget b different: `window`.*empty pots/],
    [budget(), budget({ when: "args.n > 1" }), /^budget b different: `when`/],
    [
      {},
      { environments: { prod: { unmatched: { read: "allow" } } } },
      /^environment prod looser: `unmatched.read`: deny → allow/,
    ],
    [{}, { environments: { prod: { mode: "observe" } } }, /^environment prod looser: `mode`: enforce → observe/],
    [
      { tools: { pay: { units: { amount: "usd" } } } },
      { tools: { pay: { units: { "args.amount": "usd_cents" } } } },
      /^tool pay different: `units.amount`: usd → usd_cents/,
    ],
    [{}, { tools: { pay: { kind: "read" } } }, /^tool pay different: `kind`: write → read/],
    [{}, { routes: { default: { need: 2 } } }, /^route default different: is new/],
    [{}, { breakers: { caps: { calls: 5 } } }, /^breaker caps different: is new/],
    [
      { breakers: { caps: { calls: 5 } } },
      { breakers: { caps: { calls: 9 } } },
      /^breaker caps looser: `calls`: 5 → 9/,
    ],
  ])("%j and %j", (before, after, expected) => {
    const found = said(before, after);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  const models = fc
    .record({
      limit: fc.integer({ min: 1, max: 3 }),
      over: fc.constantFrom("deny", "pause"),
      id: fc.constantFrom("b", "c"),
      budgeted: fc.boolean(),
      mode: fc.constantFrom("observe", "enforce"),
      kind: fc.constantFrom("read", "write"),
    })
    .map(({ budgeted, mode, kind, ...more }) =>
      modelOf({
        ...(budgeted ? (budget(more) as JsonObject) : {}),
        environments: { prod: { mode } },
        tools: { pay: { kind } },
      }),
    );

  it("a set beside itself differs in nothing, and the other way round everything is the other way round", () => {
    const turned = { looser: "tighter", tighter: "looser", different: "different" } as const;
    fc.assert(
      fc.property(models, models, (one, other) => {
        expect(diffPolicies(one, one)).toEqual({ differences: [], settings: [], incomplete: [] });
        const shape = (all: ReturnType<typeof diffSettings>, turn: boolean) =>
          all.map(({ what, change }) => `${what} ${turn ? turned[change] : change}`).sort();
        expect(shape(diffSettings(other, one), true)).toEqual(shape(diffSettings(one, other), false));
      }),
      { numRuns: 40 },
    );
  });
});
