import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globMatches, globsMeet } from "./glob.ts";
import { nearest } from "./nearest.ts";

const pattern = fc.array(fc.constantFrom("a", "b", ".", "*"), { maxLength: 8 }).map((parts) => parts.join(""));
const name = fc.array(fc.constantFrom("a", "b", "."), { maxLength: 8 }).map((parts) => parts.join(""));

function byRegExp(glob: string, text: string): boolean {
  return new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", ".*")}$`, "s").test(text);
}

describe("globs", () => {
  it("[P3~] `*` stands for any characters, dots too; all else for itself (trap 10)", () => {
    fc.assert(fc.property(pattern, name, (glob, text) => globMatches(glob, text) === byRegExp(glob, text)));
    expect(globMatches("stripe.*", "stripe.refund.all")).toBe(true);
    expect(globMatches("stripe.*", "stripeXrefund")).toBe(false);
    expect(globMatches("Stripe.*", "stripe.refund")).toBe(false);
  });

  it("takes no exponential time (trap 13)", () => {
    expect(globMatches(`${"*a".repeat(100)}*b`, "a".repeat(256))).toBe(false);
  });

  it("two patterns that one name fits do meet, and two names meet only if equal", () => {
    fc.assert(
      fc.property(pattern, pattern, name, (a, b, text) => {
        if (globMatches(a, text) && globMatches(b, text)) expect(globsMeet(a, b)).toBe(true);
        expect(globsMeet(a, b)).toBe(globsMeet(b, a));
        expect(globsMeet(text, a)).toBe(globMatches(a, text));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("nearest", () => {
  it("finds the word that was meant, and none where nothing is near", () => {
    expect(nearest("enviroments", ["rules", "environments"])).toBe("environments");
    expect(nearest("Rules", ["rules", "routes"])).toBe("rules");
    expect(nearest("prdo", ["prod", "dev"])).toBe("prod");
    expect(nearest("xyz", ["prod", "dev"])).toBeUndefined();
  });
});
