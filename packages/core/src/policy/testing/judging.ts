/** Plain data → a policy set and its answers, for tests without a YAML parser. */
import { normalize, type ToolCall } from "../../call.ts";
import type { Decision, EvaluationContext } from "../../decision.ts";
import type { Hash } from "../../ports.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import { type CheckOptions, checkPolicies } from "../check.ts";
import { compilePolicies } from "../compile.ts";
import type { CompiledPolicySet } from "../policy-set.ts";
import { treeOf } from "./tree-of.ts";

/** 32 bytes that differ where the input differs: enough to tell texts apart in a test, and no SHA-256. */
const hash: Hash = {
  sha256(bytes: Uint8Array): Uint8Array {
    const digest = new Uint8Array(32);
    let state = 0x811c9dc5;
    for (let round = 0; round < 32; round++) {
      for (const byte of bytes) state = Math.imul(state ^ byte ^ round, 0x01000193);
      digest[round] = state >>> 24;
    }
    return digest;
  },
};

/** One environment, `prod`, that denies. */
function source(rest: JsonObject): Json {
  return { saferun: "policy/v1", environments: { prod: {} }, ...rest };
}

export function policiesOf(rest: JsonObject, options: CheckOptions = {}): CompiledPolicySet {
  const checked = checkPolicies([treeOf("p", source(rest))], options);
  if (!checked.ok) throw new Error(checked.issues.map(({ code, message }) => `${code} ${message}`).join("\n"));
  return compilePolicies(checked.model, hash);
}

/** `code severity message` of everything that is said at load. */
export function issuesOf(rest: JsonObject, options: CheckOptions = {}): readonly string[] {
  const checked = checkPolicies([treeOf("p", source(rest))], options);
  const issues = checked.ok ? checked.warnings : checked.issues;
  return issues.map(({ code, severity, message }) => `${severity} ${code}: ${message}`);
}

export function ask(policies: CompiledPolicySet, args: unknown, context: JsonObject = {}, tool = "t"): Decision {
  return policies.evaluate(callOf(args, { tool }), contextOf(context));
}

interface Where {
  readonly tool?: string;
  readonly agent?: string;
  readonly environment?: string;
}

export function callOf(args: unknown, { tool = "t", agent = "a", environment = "prod" }: Where = {}): ToolCall {
  const normal = normalize({ tool, args, agent, environment }, hash);
  if (!normal.ok) throw new Error(normal.malformed.message);
  return normal.call;
}

export function contextOf(
  context: JsonObject = {},
  { agent = "a", environment = "prod" }: Where = {},
): EvaluationContext {
  return {
    agent,
    environment,
    principal: { id: "u1", kind: "person", roles: [], labels: { tenant: "acme" } },
    context,
    run: { id: "r", prompted: false, untrusted: false, turn: 0 },
    call: { id: "c", depth: 0, attempt: 1 },
    now: 0,
  };
}
