import { describe, expect, it } from "vitest";
import { changedPaths, covers } from "./edit.ts";

describe("what an approver changed", () => {
  it.each([
    [{ amount: 1 }, { amount: 1 }, []],
    [{ amount: 1 }, { amount: 2 }, ["amount"]],
    [{ amount: 1 }, {}, ["amount"]],
    [{}, { extra: 1 }, ["extra"]],
    [{ to: ["a", "b"] }, { to: ["a", "c", "d"] }, ["to[1]", "to[2]"]],
    [{ a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 2 }] } }, ["a.b[0].c"]],
    [{ a: 1 }, { a: [1] }, ["a"]],
    [{ a: null }, { a: {} }, ["a"]],
    [{ amount: 1 }, { amount: 1, "amount.to": "x" }, ['["amount.to"]']],
    [{ a: {} }, { a: { "b[0]": 1 } }, ['a["b[0]"]']],
  ])("%j → %j changes %j", (before, after, paths) => {
    expect(changedPaths(before, after)).toEqual(paths);
  });

  it.each([
    ["amount", "amount", true],
    ["amount", "amount2", false],
    ["amount", "amount.cents", true],
    ["to[]", "to[3]", true],
    ["to[]", "to", false],
    ["to", "to[3]", true],
    ["items[].price", "items[0].price", true],
    ["items[].price", "items[0].name", false],
    ["a.b", "a", false],
    ["amount", '["amount.to"]', false],
    ["a", 'a["b.c"]', true],
    ["a.b", 'a["b.c"]', false],
  ])("`%s` covers `%s`: %s", (allowed, path, expected) => {
    expect(covers(allowed, path)).toBe(expected);
  });
});
