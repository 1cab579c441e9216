import { type Enforcer, newEnforcer, newModelFromString } from "casbin";
import { asCel, type BenchRule, byTool } from "../workload.ts";
import type { Peer } from "./peer.ts";

/** Its own form of rules over attributes: each policy line carries its condition. */
const MODEL = `
[request_definition]
r = args
[policy_definition]
p = sub_rule, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = eval(p.sub_rule)
`;

/** casbin has no pause: those rules are denials there, which is the same work. */
export const casbin: Peer = {
  name: "casbin",
  note: "ABAC, an enforcer each tool; pause is deny",
  says: { allow: "true", pause: "false", deny: "false" },
  batch: 500,
  prepare: async (all, calls) => {
    const enforcers = new Map<string, Enforcer>();
    for (const [tool, rules] of byTool(all)) {
      const enforcer = await newEnforcer(newModelFromString(MODEL));
      await enforcer.addPolicies(rules.map((rule) => [conditionOf(rule), rule.then === "allow" ? "allow" : "deny"]));
      enforcers.set(tool, enforcer);
    }
    return (index) => {
      const call = calls[index];
      return String(call === undefined ? "no call" : enforcers.get(call.tool)?.enforceSync(call.args));
    };
  },
};

/** `in` binds weaker than `&&` there. */
function conditionOf(rule: BenchRule): string {
  return asCel(rule, "r.args.").replace(/\S+ in \[[^\]]*\]/, "($&)");
}
