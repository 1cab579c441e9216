import { SafeRunError } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { parsePeople, personOf } from "./people.ts";

describe("parsePeople", () => {
  it("reads accounts, principals and roles", () => {
    expect({ ...parsePeople(" U1=ann:finance+ops, U2=bob ,", "X") }).toEqual({
      U1: { principal: "ann", roles: ["finance", "ops"] },
      U2: { principal: "bob" },
    });
    expect(Object.keys(parsePeople("", "X"))).toEqual([]);
  });

  it.each(["U1", "U1=", "=ann", "U1=ann=x", "U1=ann:", "U1=a b", "U1=ann,U1=bob"])("refuses %j", (text) => {
    expect(() => parsePeople(text, "PEOPLE")).toThrow(SafeRunError);
    expect(() => parsePeople(text, "PEOPLE")).toThrow(/`PEOPLE`/);
  });

  it("knows nobody by the name of a built-in (trap 10)", () => {
    expect(personOf(parsePeople("U1=ann", "X"), "constructor")).toBeUndefined();
    expect(personOf({}, "__proto__")).toBeUndefined();
    expect(personOf(parsePeople("__proto__=ann", "X"), "toString")).toBeUndefined();
  });
});
