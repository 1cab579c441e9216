import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { createJudge, type Judge } from "./judge.ts";

const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny }, dev: { unmatched: deny } }
context: { tenant: string }
tools: { t: { kind: write } }
rules:
  - { id: prompted, tool: t, when: args.rule == "prompted" && run.prompted, then: allow }
  - { id: late, tool: t, when: 'args.rule == "late" && now > timestamp("2026-05-15T12:00:00Z")', then: allow }
  - { id: lead, tool: t, principal: "role:lead", when: args.rule == "lead", then: allow }
  - { id: tenant, tool: t, when: args.rule == "tenant" && context.tenant == "acme", then: allow }
  - { id: desk, tool: t, agent: desk, env: dev, when: args.rule == "desk", then: allow }
`;

function judge(start = 0): Judge {
  const loaded = loadPolicies([{ file: "p.yaml", text: POLICY }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  return createJudge({ policies: loaded.policies, start });
}

const line = (rule: string, more: object = {}) => JSON.stringify({ tool: "t", args: { rule }, ...more });

describe("a line of calls", () => {
  it.each([
    ["late", { now: "2026-05-15T15:00:00+02:00" }, "allow"],
    ["late", { now: "2026-05-15T13:00:00+02:00" }, "deny"],
    ["late", { now: Date.UTC(2026, 4, 15, 13) }, "allow"],
    ["late", {}, "deny"],
    ["lead", { principal: { id: "ann", roles: ["lead"] } }, "allow"],
    ["lead", { principal: { id: "ann" } }, "deny"],
    ["tenant", { context: { tenant: "acme" } }, "allow"],
    ["tenant", {}, "deny"],
    ["prompted", { prompt: "do it" }, "allow"],
    ["prompted", { prompt: ["do it", "now"] }, "allow"],
    ["prompted", {}, "deny"],
    ["desk", { agent: "desk", env: "dev" }, "allow"],
    ["desk", { agent: "desk" }, "deny"],
    ["desk", { env: "dev" }, "deny"],
  ])("%s with %j is %s", (rule, more, verdict) => {
    const decision = judge().decide(line(rule, more));
    expect(decision).toMatchObject({
      verdict,
      by: [verdict === "allow" ? rule : expect.stringMatching(/^unmatched:/)],
    });
    expect(decision.error).toBeUndefined();
  });

  it("takes the moment of the start where a line has none", () => {
    expect(judge(Date.UTC(2026, 4, 16)).decide(line("late")).verdict).toBe("allow");
  });

  it("carries a prompt to the later lines of the same run, and to no other", () => {
    const { decide } = judge();
    const verdicts = [{ run: "a" }, { run: "a", prompt: "x" }, { run: "a" }, { run: "b" }, {}].map(
      (more) => decide(line("prompted", more)).verdict,
    );
    expect(verdicts).toEqual(["deny", "allow", "allow", "deny", "deny"]);
  });
});

describe("a call that the policies change", () => {
  it("says what would run [P7~] [P8~]", () => {
    const text = `saferun: policy/v1
environments: { prod: {} }
context: { tenant: string }
tools: { t: { bind: { tenant: context.tenant } } }
rules: [{ id: a, tool: t, then: allow, change: { clamp: args.n, max: 5 } }]
`;
    const loaded = loadPolicies([{ file: "p.yaml", text }], { hash: nodeHash });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
    const { decide } = createJudge({ policies: loaded.policies, start: 0 });
    const call = { tool: "t", args: { n: 9, tenant: "evil" }, context: { tenant: "acme" } };
    expect(decide(JSON.stringify(call))).toMatchObject({
      verdict: "allow",
      changed: { args: { n: 5, tenant: "acme" }, paths: ["n", "tenant"] },
    });
    expect(decide(JSON.stringify({ ...call, args: { n: 5, tenant: "acme" } })).changed).toBeUndefined();
  });
});
