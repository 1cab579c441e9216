import { describe, expect, it } from "vitest";
import { hash } from "../test/loading.ts";
import { loadPolicies } from "./index.ts";

const HEAD = "saferun: policy/v1\nenvironments: { prod: {} }\ntools: { refund: {} }\n";
const load = (text: string) => loadPolicies([{ file: "p.yaml", text: HEAD + text }], { hash });
const faults = (text: string) => {
  const loaded = load(text);
  return loaded.ok ? [] : loaded.issues.map(({ code, message }) => `${code}: ${message}`);
};

const RULE = "rules: [{ id: r, tool: refund, then: pause, approval: { route: finance, grantable: true } }]\n";

describe("routes", () => {
  it("say where, who, how many, who not, and who is asked later", () => {
    const loaded = load(
      `routes:
  finance: { to: ["slack:#fin", "linear:FIN", cli], roles: [finance], need: 2, within: 4h, not: [requester],
    after: [{ 1h: "email:cfo@example.com" }, { 30m: ["pagerduty:payments", dashboard] }] }
${RULE}`,
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
    const context = {
      agent: "bot",
      environment: "prod",
      principal: { id: "", kind: "none", roles: [], labels: {} },
      context: {},
      run: { id: "r", prompted: false, untrusted: false, turn: 0 },
      call: { id: "c", depth: 0, attempt: 1 },
      now: 0,
    } as const;
    const call = { tool: "refund", args: {}, bytes: "{}", digest: "d", agent: "bot", environment: "prod" };
    expect(loaded.policies.evaluate(call, context).pauses[0]?.approval).toEqual({
      route: "finance",
      to: ["slack:#fin", "linear:FIN", "cli"],
      roles: ["finance"],
      need: 2,
      not: ["requester"],
      withinMs: 14_400_000,
      after: [
        { afterMs: 1_800_000, to: ["pagerduty:payments", "dashboard"] },
        { afterMs: 3_600_000, to: ["email:cfo@example.com"] },
      ],
      show: [],
      editable: [],
      grantable: true,
    });
  });

  it.each([
    ["{ to: [slak:#fin] }", "bad-value: `slak:#fin` is no place to ask; did you mean `slack`?"],
    ["{ not: [requestor] }", "bad-value: `not` cannot be `requestor`; expected `requester`; did you mean `requester`?"],
    ["{ need: 0 }", "bad-value: `need` cannot be `0`; expected 1 to 100"],
    ["{ after: [{ soon: cli }] }", "bad-name: `soon` is no valid name here; expected a time such as `30m`"],
    ["{ after: [{ 0m: cli }] }", "bad-value: `after` cannot be `0m`; expected a time such as `30m`"],
    ["{ after: [{ 30m: pigeon }] }", "bad-value: `pigeon` is no place to ask"],
    ["{ after: [{}] }", "empty: route `finance` has an empty level in `after`"],
    [
      "{ within: 30m, after: [{ 30m: cli }] }",
      "bad-value: route `finance` asks on after `30m`, when its time is over and silence has denied",
    ],
  ])("%s", (route, fault) => {
    expect(faults(`routes: { finance: ${route} }\n${RULE}`).join("\n")).toContain(fault);
  });

  it("a flag is `true` or `false`, nothing that looks like it (trap 5)", () => {
    const of = (text: string) =>
      faults(`rules: [{ id: r, tool: refund, then: pause, approval: { grantable: ${text} } }]\n`).join("\n");
    expect(of("false")).toBe("");
    for (const text of ["yes", '"true"', "1", "[]"]) expect(of(text)).toContain("must be `true` or `false`");
  });
});
