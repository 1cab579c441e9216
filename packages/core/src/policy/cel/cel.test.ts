import { describe, expect, it } from "vitest";
import { type CelEnv, CelError, type CelValue, checkCel, compileCel, parseCel } from "./index.ts";
import { toJson } from "./to-json.ts";
import { DYN } from "./types.ts";

const ENV: CelEnv = { variables: { args: DYN, context: DYN, x: DYN } };

function run(source: string, vars: Record<string, unknown> = {}): CelValue {
  const parsed = parseCel(source);
  if (!parsed.ok) throw new Error(`${source}: ${parsed.issues[0]?.message}`);
  return compileCel(parsed.expr, ENV).evaluate(vars);
}
describe("smoke", () => {
  it.each([
    ['args.amount > 0 && args.amount <= 50000 && args.currency == "usd"', true],
    ["1 + 2 * 3", 7],
    ["[1,2,3].map(i, i * 2)", [2, 4, 6]],
    ["args.items.exists(i, i.price > 10.5)", true],
    ["{'a': 1}.a", 1],
    ["7 / 2", 3],
    ["-7 / 2", -3],
    ["7 / 2.0", 3.5],
    ["9223372036854775807", "9223372036854775807"],
    ["timestamp('2026-05-01T09:30:00Z').getHours('+02:00')", 11],
    ["duration('1h30m') + duration('30m')", "7200s"],
    ["args.?nope.orValue(5)", 5],
  ])("%s", (source, value) => {
    expect(toJson(run(source, { args: { amount: 4999, currency: "usd", items: [{ price: 11 }] } }))).toEqual(value);
  });
  it("errs", () => {
    expect(() => run("args.amount > 1", { args: {} })).toThrow(new CelError("no such field `args.amount`", 4));
    expect(() => run('args.country in ["KP"]', { args: { country: ["KP"] } })).toThrow(CelError);
  });
  it("checks", () => {
    const parsed = parseCel("args.amonut > 0 && foo(args.amount)");
    if (!parsed.ok) throw new Error();
    expect(
      checkCel(parsed.expr, {
        variables: { args: { kind: "object", fields: { amount: { kind: "int" } }, open: false } },
      }).issues,
    ).toMatchObject([{ code: "unknown-field", suggestion: "amount" }, { code: "unknown-function" }]);
  });
});
