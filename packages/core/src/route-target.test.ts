import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNEL_KINDS, parseRouteTarget, routeTargetText } from "./route-target.ts";

describe("the place that a route asks at", () => {
  it.each([
    ["dashboard", { kind: "dashboard" }],
    ["cli", { kind: "cli" }],
    ["slack:#fin", { kind: "slack", target: "#fin" }],
    ["slack:C024BE91L", { kind: "slack", target: "C024BE91L" }],
    ["linear:FIN", { kind: "linear", target: "FIN" }],
    ["pagerduty:payments", { kind: "pagerduty", target: "payments" }],
    ["webhook:back-office", { kind: "webhook", target: "back-office" }],
    ["email:fin+eu@example.co.uk", { kind: "email", target: "fin+eu@example.co.uk" }],
  ])("%s", (text, target) => {
    expect(parseRouteTarget(text)).toEqual({ ok: true, target });
  });

  it.each([
    ["slak:#fin", "did you mean `slack`?"],
    ["Slack:#fin", "did you mean `slack`?"],
    ["dashbord", "did you mean `dashboard`?"],
    ["carrier-pigeon", "it is `dashboard`, `cli`, or like"],
    ["", "it is `dashboard`"],
    ["slack", "like `slack:#ops-approvals`"],
    ["slack:", "like `slack:#ops-approvals`"],
    ["slack:fin", "like `slack:#ops-approvals`"],
    ["slack:#fin ance", "like `slack:#ops-approvals`"],
    ["slack: #fin", "like `slack:#ops-approvals`"],
    ["slack:#fin\u202e", "like `slack:#ops-approvals`"],
    ["slack:@ann", "like `slack:#ops-approvals`"],
    ["linear:fin", "like `linear:OPS`"],
    ["pagerduty:pay ments", "like `pagerduty:payments`"],
    ["webhook:https://ops.example.com", "like `webhook:ops`"],
    ["email:ann", "like `email:finance@example.com`"],
    ["email:ann@example.com,eve@example.com", "like `email:finance@example.com`"],
    ["email:ann@example.com\r\nbcc:eve@example.com", "like `email:finance@example.com`"],
    ["email:-ann@example.com", "like `email:finance@example.com`"],
    ["cli:", "is no place to ask"],
    ["__proto__:x", "is no place to ask"],
    ["constructor:x", "is no place to ask"],
    [`email:${"a".repeat(400)}@example.com`, "too long"],
  ])("says what is wrong with %j", (text, said) => {
    const parsed = parseRouteTarget(text);
    expect(parsed).toMatchObject({ ok: false, message: expect.stringContaining(said) });
    expect(JSON.stringify(parsed)).not.toContain("\u202e");
  });

  it("is total, and prints back what it read", () => {
    const kinds = fc.constantFrom("dashboard", "cli", ...CHANNEL_KINDS);
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(kinds, fc.string()).map((pair) => pair.join(":")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseRouteTarget(text);
        if (parsed.ok) expect(routeTargetText(parsed.target)).toBe(text);
        else expect(parsed.message).not.toMatch(/[\n\r]/);
      }),
    );
  });
});
