import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalize } from "../call.ts";
import type { EvaluationContext } from "../decision.ts";
import type { Json } from "../value/json.ts";
import { checkPolicies } from "./check.ts";
import { compilePolicies } from "./compile.ts";
import { type NaiveRule, naiveVerdict } from "./testing/naive.ts";
import { treeOf } from "./testing/tree-of.ts";

const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

/** What makes a condition true, false or an error of this call; the last ones only the reference engine can say. */
const CONDITIONS: Readonly<Record<NaiveRule["condition"], readonly string[]>> = {
  true: ["args.n == 5", "args.n > 1 && args.s == 's'", "size(args.s) == 1", "args.n == 5 || args.missing"],
  false: ["args.n > 5", "args.s in ['t']", "size(args.s) == 2", "args.n > 5 && args.missing"],
  error: ["args.missing > 1", "args.s > 1", "args.n && args.s", "size(args.missing) == 1", "args.s == 1"],
};

function policies(rules: readonly (NaiveRule & { when: string })[], environment: Json) {
  const source = {
    saferun: "policy/v1",
    environments: { prod: environment },
    tools: { t: { kind: "write" } },
    rules: rules.map(({ id, verdict, otherwise, approval, when }) => ({
      id,
      tool: "t",
      when,
      then: verdict,
      ...(otherwise === null ? {} : { else: otherwise }),
      ...(approval ? { approval: {} } : {}),
    })),
  };
  const checked = checkPolicies([treeOf("p", source)]);
  if (!checked.ok) throw new Error(checked.issues.map((issue) => issue.message).join("\n"));
  return compilePolicies(checked.model, hash);
}

const CONTEXT: EvaluationContext = {
  agent: "a",
  environment: "prod",
  principal: { id: "", kind: "none", roles: [], labels: {} },
  context: {},
  run: { id: "r", prompted: false, untrusted: false, turn: 0 },
  call: { id: "c", depth: 0, attempt: 1 },
  now: 0,
};

function call() {
  const normal = normalize({ tool: "t", args: { n: 5, s: "s" }, agent: "a", environment: "prod" }, hash);
  if (!normal.ok) throw new Error(normal.malformed.message);
  return normal.call;
}

const condition = fc.constantFrom("true" as const, "false" as const, "error" as const);
const effect = fc.oneof(
  fc.record({
    verdict: fc.constantFrom("deny" as const, "pause" as const),
    otherwise: fc.constant(null),
    approval: fc.constant(false),
  }),
  fc.record({
    verdict: fc.constant("allow" as const),
    otherwise: fc.constantFrom(null, "pause" as const, "deny" as const),
    approval: fc.boolean(),
  }),
);
const rule = fc.tuple(effect, condition, fc.nat()).map(([one, outcome, pick]) => {
  const texts = CONDITIONS[outcome];
  return { ...one, condition: outcome, when: texts[pick % texts.length] ?? "" };
});
const rules = fc.array(rule, { maxLength: 6 }).map((list) => list.map((one, index) => ({ ...one, id: `r${index}` })));

describe("evaluate", () => {
  it("[P6] agrees with the naive evaluator from document to decision, whatever the rules (traps 7, 8, 11)", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(rules, fc.constantFrom("allow" as const, "deny" as const), (list, unmatched) => {
        const decision = policies(list, { unmatched }).evaluate(call(), CONTEXT);
        const { verdict, by } = decision;
        seen.add(verdict);
        expect({ verdict, by }).toEqual(naiveVerdict(list, unmatched, "prod"));
        expect(decision.pauses.map(({ id }) => id)).toEqual(verdict === "pause" ? by : []);
      }),
      { numRuns: 1_500 },
    );
    expect([...seen].sort()).toEqual(["allow", "deny", "pause"]);
  });

  it("[P12~] an observed environment never blocks, and `would` is what enforcing would have said", () => {
    fc.assert(
      fc.property(rules, (list) => {
        const enforced = policies(list, { unmatched: "deny" }).evaluate(call(), CONTEXT);
        const observed = policies(list, { unmatched: "deny", mode: "observe" }).evaluate(call(), CONTEXT);
        expect(observed).toMatchObject({ verdict: "allow", pauses: [] });
        expect(observed.would).toEqual({ verdict: enforced.verdict, by: enforced.by });
      }),
      { numRuns: 300 },
    );
  });

  it("a failing port is a denial, not a throw (trap 5)", () => {
    let calls = 0;
    const failing = {
      sha256: (bytes: Uint8Array) => {
        if (++calls > 1) throw new Error("no hash");
        return hash.sha256(bytes);
      },
    };
    const checked = checkPolicies([
      treeOf("p", {
        saferun: "policy/v1",
        environments: { prod: {} },
        tools: { t: {} },
        rules: [{ id: "p", tool: "t", then: "pause" }],
      }),
    ]);
    if (!checked.ok) throw new Error("does not load");
    expect(compilePolicies(checked.model, failing).evaluate(call(), CONTEXT)).toMatchObject({
      verdict: "deny",
      by: ["internal.error"],
    });
  });
});
