import { describe, expect, it } from "vitest";
import type { Json } from "../../value/json.ts";
import { checkPolicies } from "../check.ts";
import { treeOf } from "../testing/tree-of.ts";
import { analyse } from "./analyse.ts";

/** Two pause rules on one tool; what the analysis says of their routes. */
function splits(finance: Json, legal: Json, when = "args.amount > 50"): string[] {
  const checked = checkPolicies(
    [
      treeOf("p", {
        saferun: "policy/v1",
        environments: { prod: {} },
        tools: { pay: { kind: "write" } },
        routes: { finance, legal },
        rules: [
          { id: "a", tool: "pay", then: "pause", when: "args.amount > 10", approval: { route: "finance" } },
          { id: "b", tool: "pay", then: "pause", when, approval: { route: "legal" } },
          { id: "c", tool: "pay", then: "allow", when: "args.amount > 0" },
        ],
      }),
    ],
    { analyse },
  );
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  return checked.warnings.filter(({ code }) => code === "split-routes").map(({ message }) => message);
}

describe("routes that nobody can answer for both", () => {
  it("are said once, with a call that both rules ask about", () => {
    expect(splits({ roles: ["finance"] }, { roles: ["legal"] })).toEqual([
      expect.stringContaining("no role may answer for both of their routes `finance` and `legal`"),
    ]);
  });

  it("not where a role may answer both, and not where no call meets both rules", () => {
    expect(splits({ roles: ["finance", "head"] }, { roles: ["legal", "head"] })).toEqual([]);
    expect(splits({ roles: ["finance"] }, { roles: ["legal"] }, "args.amount < 5")).toEqual([]);
  });
});
