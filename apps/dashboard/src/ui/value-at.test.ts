import { changedPaths } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { valueAt } from "./value-at.ts";

describe("the value at a path", () => {
  it("is found in lists and maps, and nowhere else", () => {
    const args = { lines: [{ amount: 7 }], to: "x" };
    expect(valueAt(args, "lines[0].amount")).toBe(7);
    expect(valueAt(args, "lines[1].amount")).toBeUndefined();
    expect(valueAt(args, "to.length")).toBeUndefined();
    expect(valueAt(args, "constructor")).toBeUndefined();
  });

  it("is what a difference names, whatever its key is: an approver never sees nothing become nothing", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer(), (outer, inner, value) => {
        fc.pre(outer !== "__proto__" && inner !== "__proto__");
        const [before, after] = [{ [outer]: { [inner]: value } }, { [outer]: { [inner]: value + 1 } }];
        const [path = ""] = changedPaths(before, after);
        expect([valueAt(before, path), valueAt(after, path)]).toEqual([value, value + 1]);
      }),
    );
    expect(valueAt({ '<b>[0].x"y': 1 }, '["<b>[0].x\\"y"]')).toBe(1);
  });
});
