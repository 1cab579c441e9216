import { type EditField, editablePaths, editedValue } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommandError } from "../exit.ts";
import { differences, withSetting, withValue } from "./edit.ts";

const ARGS = { amount: 450_000, to: ["a", "b"], lines: [{ note: "x" }, { note: "y" }], id: "17", none: null };

describe("withSetting", () => {
  it.each([
    ["amount=50", { amount: 50 }],
    ["amount={}", { amount: {} }],
    ["id=18", { id: "18" }],
    ["id=a=b", { id: "a=b" }],
    ["id=", { id: "" }],
    ["to[1]=c", { to: ["a", "c"] }],
    ["lines[0].note=z", { lines: [{ note: "z" }, { note: "y" }] }],
    ["none=true", { none: true }],
    ["extra=5", { extra: 5 }],
    ["extra=free text", { extra: "free text" }],
  ])("sets %s", (setting, change) => {
    expect(withSetting(ARGS, setting, { editable: [] })).toEqual({ ...ARGS, ...change });
  });

  it.each([
    "amount",
    "=5",
    "amount=many",
    "amount=",
    "to[2]=c",
    "lines[9].note=x",
    "no.such=1",
    "amount.x=1",
    "to.x=1",
  ])("refuses %s", (setting) => {
    expect(() => withSetting(ARGS, setting, { editable: [] })).toThrow(CommandError);
  });

  const form: readonly EditField[] = [
    { path: "amount", label: "amount", type: "integer", required: true, minimum: 1, maximum: 500 },
    { path: "currency", label: "currency", type: "enum", enum: ["eur", "usd"], required: false },
    { path: "limit", label: "limit", type: "number", required: false, nullable: true },
  ];
  const described = (setting: string) =>
    withSetting({ amount: 5 }, setting, { editable: ["amount", "currency", "limit", "customer"], form });

  it("takes what fits the field of the tool's schema, and says otherwise what would", () => {
    expect(described("amount=50")).toEqual({ amount: 50 });
    expect(described("amount=5")).toEqual({ amount: 5 });
    expect(described("currency=usd")).toEqual({ amount: 5, currency: "usd" });
    expect(() => described("amount=501")).toThrow("`amount`: must be a whole number from 1 to 500");
    expect(() => described("amount=1.5")).toThrow("`amount`: must be a whole number from 1 to 500");
    expect(() => described("currency=gbp")).toThrow("`currency`: must be one of eur, usd");
    expect(() => described("currency=")).toThrow("`currency`: must be one of eur, usd");
    expect(() => described("limit=")).toThrow("`limit`: must be a number, or nothing");
    expect(described("other=x")).toEqual({ amount: 5, other: "x" });
  });

  it("never reaches a prototype (trap 10)", () => {
    expect(() => withSetting({}, "__proto__.polluted=1", { editable: [] })).toThrow(CommandError);
    expect(Object.hasOwn({ ...(withSetting({}, "__proto__=1", { editable: [] }) as object) }, "__proto__")).toBe(true);
    expect(editedValue({}, "constructor.name")).toBeUndefined();
    expect("polluted" in {}).toBe(false);
  });
});

describe("editablePaths", () => {
  it("names every item of a list", () => {
    expect(editablePaths(ARGS, ["amount", "lines[].note", "to[]", "gone"])).toEqual([
      "amount",
      "lines[0].note",
      "lines[1].note",
      "to[0]",
      "to[1]",
      "gone",
    ]);
    expect(editablePaths(ARGS, ["amount[]", "gone[].x"])).toEqual([]);
  });
});

describe("differences", () => {
  it("names exactly the value that was set", () => {
    fc.assert(
      fc.property(fc.constantFrom("amount", "to[0]", "lines[1].note"), fc.integer(), (path, value) => {
        expect(differences(ARGS, withValue(ARGS, path, value))).toEqual(
          value === ARGS.amount && path === "amount" ? [] : [{ path, before: editedValue(ARGS, path), after: value }],
        );
      }),
    );
  });
});
