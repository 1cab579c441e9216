import cedar from "@cedar-policy/cedar-wasm/nodejs";
import { asCel, type BenchRule, byTool } from "../workload.ts";
import type { Peer } from "./peer.ts";

/** Cedar has no pause: those rules are forbids there, which is the same work. */
export const cedarWasm: Peer = {
  name: "@cedar-policy/cedar-wasm",
  note: "parsed before; pause is forbid",
  says: { allow: "allow", pause: "deny", deny: "deny" },
  batch: 400,
  prepare: async (all, calls) => {
    for (const [tool, rules] of byTool(all)) {
      const answer = cedar.preparsePolicySet(tool, { staticPolicies: rules.map(policyOf).join("\n") });
      if (answer.type !== "success") throw new Error(JSON.stringify(answer));
    }
    return (index) => {
      const call = calls[index];
      if (call === undefined) return "no call";
      const answer = cedar.statefulIsAuthorized({
        principal: { type: "Agent", id: "bench" },
        action: { type: "Action", id: call.tool },
        resource: { type: "Tool", id: call.tool },
        context: call.args,
        preparsedPolicySetId: call.tool,
        entities: [],
      });
      return answer.type === "success" ? answer.response.decision : "error";
    };
  },
};

function policyOf(rule: BenchRule): string {
  const head = rule.then === "allow" ? "permit" : "forbid";
  const condition = asCel(rule, "context.").replace(/(\S+) in (\[[^\]]*\])/, "$2.contains($1)");
  return `${head}(principal, action == Action::"${rule.tool}", resource) when { ${condition} };`;
}
