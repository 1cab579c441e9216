import { describe, expect, it } from "vitest";
import { checkCel, compileCel, parseCel, toJson } from "../index.ts";
import { MANUAL } from "./manual.ts";
import { functionNames } from "./table.ts";

/** One zone is enough for the examples. */
function zones(zone: string): number | undefined {
  return zone === "Europe/Zurich" ? 7_200 : undefined;
}

const entries = MANUAL.flatMap(({ entries: section }) => Object.entries(section));

describe("the manual of functions", () => {
  it("has every function once, and no other", () => {
    expect(entries.map(([name]) => name).toSorted()).toEqual([...functionNames()].toSorted());
  });

  it.each(entries)("%s: the example is true", (_name, { example, value }) => {
    const parsed = parseCel(example);
    if (!parsed.ok) throw new Error(parsed.issues[0]?.message);
    const env = { variables: {}, zones };
    expect(checkCel(parsed.expr, env).issues).toEqual([]);
    expect(JSON.stringify(toJson(compileCel(parsed.expr, env).evaluate({})))).toBe(value);
  });
});
