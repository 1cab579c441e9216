import { describe, expect, it } from "vitest";
import type { ToolCall } from "../call.ts";
import type { Decision, EvaluationContext } from "../decision.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { WITHOUT_LIMITS } from "../policy/without-limits.ts";
import type { JsonObject } from "../value/json.ts";
import { protecting, SELF_PROTECTION } from "./self-protection.ts";

const ALLOW: Decision = { verdict: "allow", by: ["all"], reason: "", revision: "r", rules: [], pauses: [] };

function decide(args: JsonObject, decision: Decision = ALLOW): Decision {
  const set: PolicySet = {
    revision: "r",
    evaluate: () => decision,
    explain: () => decision,
    kind: () => "write",
    declares: () => true,
    boundPaths: () => [],
    bound: (_tool, args) => args,
    ...WITHOUT_LIMITS,
  };
  const own = {
    base: "/srv/app",
    paths: ["/srv/app/policies.yaml", "/srv/app/.saferun", "/home/ops/.local/state/saferun"],
  };
  const call: ToolCall = { tool: "t", agent: "a", environment: "prod", args, bytes: "", digest: "" };
  return protecting({ current: () => set }, own)
    .current()
    .evaluate(call, {} as EvaluationContext);
}

describe("what is the gate's own", () => {
  it.each<[string, JsonObject]>([
    ["the policy file", { path: "/srv/app/policies.yaml" }],
    ["by a relative path", { path: "./policies.yaml" }],
    ["by a detour", { path: "src/../../app//./policies.yaml" }],
    ["in another case", { path: "/srv/app/Policies.YAML" }],
    ["as a URL", { url: "file:///srv/app/policies.yaml" }],
    ["with other slashes", { path: ".\\.saferun\\log.db" }],
    ["with blanks around it", { path: " policies.yaml " }],
    ["below the store", { target: { files: ["a", ".saferun/log.db"] } }],
    ["the state directory", { path: "/home/ops/.local/state/saferun/token" }],
    ["in a command", { command: "echo 'rules: []' > policies.yaml" }],
    ["in a list of words", { cmd: ["rm", "-rf", ".saferun"] }],
    ["the command itself", { command: "npx saferun approvals approve appr_1" }],
    ["the command by its path", { script: "./node_modules/.bin/saferun approvals" }],
    ["the command's file", { shell: "node packages/cli/bin/saferun.mjs approvals" }],
  ])("%s: denied, whatever the policies say", (_name, args) => {
    expect(decide(args)).toMatchObject({ verdict: "deny", by: [SELF_PROTECTION] });
    expect(decide(args, { ...ALLOW, verdict: "pause" })).toMatchObject({ verdict: "deny" });
  });

  it("also where a change of the policies leads there", () => {
    const changed = { args: { path: "policies.yaml" }, paths: ["path"] };
    expect(decide({ path: "x" }, { ...ALLOW, changed })).toMatchObject({ by: [SELF_PROTECTION] });
  });

  it.each<[string, JsonObject]>([
    ["a neighbour", { path: "/srv/app/policies.yaml.bak" }],
    ["another folder's file of the same name", { path: "docs/policies.yaml" }],
    ["a text that speaks of it", { body: "please look at policies.yaml and saferun" }],
    ["a command that has nothing to do with it", { command: "ls -la src && cat README.md" }],
    ["numbers and nothing", { a: 1, b: null, c: true, d: "" }],
    ["a very long text", { body: "x/".repeat(100_000) }],
  ])("%s: the policies decide", (_name, args) => {
    expect(decide(args)).toBe(ALLOW);
  });

  it("leaves a denial as it is", () => {
    const denied: Decision = { ...ALLOW, verdict: "deny", by: ["rule"] };
    expect(decide({ path: "policies.yaml" }, denied)).toBe(denied);
  });
});
