import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combine, sayOf, type Voice } from "./combine.ts";
import { type NaiveRule, naiveVerdict } from "./testing/naive.ts";

const CONDITIONS = ["true", "false", "error"] as const;

/** Every kind of rule in every outcome: 3 × (deny, pause, pause with approval, allow × else × approval). */
function everyRule(): Omit<NaiveRule, "id">[] {
  const rules: Omit<NaiveRule, "id">[] = [];
  for (const condition of CONDITIONS) {
    for (const verdict of ["deny", "pause"] as const) {
      rules.push({ verdict, otherwise: null, approval: false, condition });
    }
    for (const otherwise of [null, "pause", "deny"] as const) {
      for (const approval of [false, true]) rules.push({ verdict: "allow", otherwise, approval, condition });
    }
  }
  return rules;
}

function voices(rules: readonly NaiveRule[]): Voice[] {
  return rules.map(({ id, verdict, otherwise, approval, condition }) => ({
    id,
    matched: condition,
    say: sayOf({ verdict, otherwise, asks: approval && verdict === "allow" && otherwise !== "pause" }, condition),
  }));
}

function both(rules: readonly NaiveRule[], unmatched: "allow" | "deny") {
  return {
    ours: combine(voices(rules), { id: "unmatched:prod", allows: unmatched === "allow" }),
    naive: naiveVerdict(rules, unmatched, "prod"),
  };
}

describe("combine", () => {
  it("[P6~] agrees with the naive evaluator on every set of up to three rules (generated truth table, trap 11)", () => {
    const all = everyRule();
    let cases = 0;
    for (const unmatched of ["allow", "deny"] as const) {
      const sets: NaiveRule[][] = [[]];
      for (const a of all) {
        sets.push([{ ...a, id: "a" }]);
        for (const b of all) {
          sets.push([
            { ...a, id: "a" },
            { ...b, id: "b" },
          ]);
          for (const c of all) {
            sets.push([
              { ...a, id: "a" },
              { ...b, id: "b" },
              { ...c, id: "c" },
            ]);
          }
        }
      }
      for (const set of sets) {
        const { ours, naive } = both(set, unmatched);
        cases++;
        if (ours.verdict !== naive.verdict || ours.by.join() !== naive.by.join()) {
          expect({ set, unmatched, ...ours }).toEqual({ set, unmatched, ...naive });
        }
      }
    }
    expect(cases).toBe(2 * (1 + 24 + 24 ** 2 + 24 ** 3));
  });

  it("[P6~] never says allow while a deny rule matches or errs, or an allow rule's `else: deny` applies", () => {
    const rule = fc.constantFrom(...everyRule());
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 8 }),
        fc.constantFrom("allow" as const, "deny" as const),
        (rules, unmatched) => {
          const named = rules.map((one, index) => ({ ...one, id: `r${index}` }));
          const { ours } = both(named, unmatched);
          const refused = named.some(
            ({ verdict, otherwise, condition }) =>
              (verdict === "deny" && condition !== "false") || (otherwise === "deny" && condition !== "true"),
          );
          if (refused) expect(ours.verdict).toBe("deny");
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("an erring pause turns an allow into a pause, and a denial into nothing else (trap 7)", () => {
    const pause = { id: "p", verdict: "pause", otherwise: null, approval: false, condition: "error" } as const;
    const allow = { id: "a", verdict: "allow", otherwise: null, approval: false, condition: "true" } as const;
    expect(both([pause], "allow").ours).toEqual({ verdict: "deny", by: ["unmatched:prod"] });
    expect(both([allow, pause], "deny").ours).toEqual({ verdict: "pause", by: ["p"] });
  });
});
