/** Small policy sets, what they say of a call, and random ones that compare arguments with constants. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { normalize } from "../src/call.ts";
import type { Decision, EvaluationContext } from "../src/decision.ts";
import type { ExampleCall } from "../src/policy/analyse/trial.ts";
import { checkPolicies } from "../src/policy/check.ts";
import type { compilePolicies } from "../src/policy/compile.ts";
import type { PolicyModel } from "../src/policy/model.ts";
import { treeOf } from "../src/policy/testing/tree-of.ts";
import type { Json, JsonObject } from "../src/value/json.ts";

export const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

export function model(rules: readonly JsonObject[], rest: JsonObject = {}): PolicyModel {
  const source: Json = {
    saferun: "policy/v1",
    environments: { prod: { unmatched: "deny" } },
    tools: { t: { kind: "write" }, u: { kind: "read" } },
    rules: rules.map((rule, index) => ({ id: `r${index + 1}`, tool: "t", ...rule })),
    ...rest,
  };
  const checked = checkPolicies([treeOf("p", source)]);
  if (!checked.ok) throw new Error(checked.issues.map(({ message }) => message).join("\n"));
  return checked.model;
}

export function decide(policies: ReturnType<typeof compilePolicies>, example: JsonObject): Decision {
  const { tool, args, agent, env, context, principal } = JSON.parse(JSON.stringify(example)) as ExampleCall;
  const normal = normalize({ tool, args, agent, environment: env }, hash);
  if (!normal.ok) throw new Error(normal.malformed.message);
  const evaluation: EvaluationContext = {
    agent,
    environment: env,
    principal: { id: "", kind: "none", roles: [], labels: {}, ...principal },
    context: context ?? {},
    run: { id: "r", prompted: false, untrusted: false, turn: 0 },
    call: { id: "c", depth: 0, attempt: 1 },
    now: 0,
  };
  return policies.evaluate(normal.call, evaluation);
}

const atom = fc.oneof(
  fc
    .tuple(fc.constantFrom("<", "<=", ">", ">=", "==", "!="), fc.integer({ min: 0, max: 3 }))
    .map(([operator, n]) => `args.n ${operator} ${n}`),
  fc.constantFrom(
    'args.s == "a"',
    'args.s in ["a", "b"]',
    "has(args.n)",
    "has(args.m.k)",
    "args.m.k > 2",
    "size(args.s) > 1",
    "args.n == null",
  ),
);
const condition = fc
  .tuple(atom, atom, fc.constantFrom("&&", "||"), fc.boolean())
  .map(([a, b, operator, negate]) => (negate ? `!(${a} ${operator} ${b})` : `${a} ${operator} ${b}`));
const rule = fc.record({ when: condition, then: fc.constantFrom("allow", "deny", "pause") });
export const rules = fc.array(rule, { minLength: 1, maxLength: 3 });
const value = fc.constantFrom<Json | undefined>(
  undefined,
  null,
  0,
  1,
  1.5,
  2,
  3,
  4,
  "a",
  "b",
  "abc",
  true,
  [],
  [1, 2],
  {},
  { k: 1 },
  { k: 3 },
  { k: "x" },
);
export const args = fc.record({ n: value, s: value, m: value });
