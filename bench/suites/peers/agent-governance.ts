import { ConflictResolutionStrategy, PolicyEngine } from "@microsoft/agent-governance-sdk";
import { asCel, type BenchRule, byTool } from "../workload.ts";
import type { Peer } from "./peer.ts";

const ACTIONS = { allow: "allow", pause: "require_approval", deny: "deny" } as const;

/** Denials override in its resolver; between approval and permission the higher priority wins. */
export const agentGovernance: Peer = {
  name: "@microsoft/agent-governance-sdk",
  note: "an engine each tool; text read each time",
  says: ACTIONS,
  batch: 1_000,
  prepare: async (all, calls) => {
    const engines = new Map<string, PolicyEngine>();
    for (const [tool, rules] of byTool(all)) {
      const engine = new PolicyEngine([], ConflictResolutionStrategy.DenyOverrides);
      engine.loadPolicy({ name: tool, default_action: "deny", rules: rules.map(ruleOf) });
      engines.set(tool, engine);
    }
    return (index) => {
      const call = calls[index];
      if (call === undefined) return "no call";
      return engines.get(call.tool)?.evaluatePolicy("bench", call.args).action ?? "no engine";
    };
  },
};

function ruleOf(rule: BenchRule) {
  const condition = asCel(rule, "").replaceAll(" && ", " and ").replaceAll(" || ", " or ");
  return { name: rule.id, condition, ruleAction: ACTIONS[rule.then], priority: rule.then === "pause" ? 1 : 0 };
}
