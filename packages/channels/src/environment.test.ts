import { describe, expect, it } from "vitest";
import { channelsFromEnvironment, targetsIn, type Variables } from "./environment.ts";

const SECRET = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
const ALL: Variables = {
  SLACK_BOT_TOKEN: "xoxb-1",
  SLACK_SIGNING_SECRET: "s",
  SAFERUN_SLACK_APPROVERS: "U1=ann",
  LINEAR_API_KEY: "lin_api_1",
  LINEAR_WEBHOOK_SECRET: "s",
  PAGERDUTY_KEY_PAYMENTS: "k".repeat(32),
  SAFERUN_APPROVAL_URL: "https://gate.example/approvals/{id}",
  SAFERUN_WEBHOOK_BACK_OFFICE_URL: "https://ops.example/approvals",
  SAFERUN_WEBHOOK_BACK_OFFICE_SECRET: SECRET(1),
  SAFERUN_WEBHOOK_BACK_OFFICE_ANSWER_SECRET: SECRET(2),
  SAFERUN_SMTP_URL: "smtps://mail.example.com",
  SAFERUN_EMAIL_FROM: "gate@example.com",
  SAFERUN_EMAIL_PAGE: "https://ops.example.com/approve",
  SAFERUN_EMAIL_SECRET: "x".repeat(32),
};

const TARGETS = [
  ["slack:#fin", "slack", "#fin", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]],
  ["linear:FIN", "linear", "FIN", ["LINEAR_API_KEY", "LINEAR_WEBHOOK_SECRET"]],
  ["pagerduty:payments", "pagerduty", "payments", ["PAGERDUTY_KEY_PAYMENTS", "SAFERUN_APPROVAL_URL"]],
  [
    "webhook:back-office",
    "webhook",
    "https://ops.example/approvals",
    [
      "SAFERUN_WEBHOOK_BACK_OFFICE_URL",
      "SAFERUN_WEBHOOK_BACK_OFFICE_SECRET",
      "SAFERUN_WEBHOOK_BACK_OFFICE_ANSWER_SECRET",
    ],
  ],
  [
    "email:a@example.com",
    "email",
    "a@example.com",
    ["SAFERUN_SMTP_URL", "SAFERUN_EMAIL_FROM", "SAFERUN_EMAIL_PAGE", "SAFERUN_EMAIL_SECRET"],
  ],
] as const;

describe("channels by environment variables", () => {
  it.each(TARGETS)("%s", async (target, kind, to, variables) => {
    const channels = channelsFromEnvironment(ALL);
    expect(channels.resolve(target)).toMatchObject({ kind, to });
    expect(channels.resolve(target)?.channel).toBe(channels.resolve(target)?.channel);
    await channels.close();
    for (const missing of variables) {
      const without = channelsFromEnvironment({ ...ALL, [missing]: " " });
      expect(() => without.resolve(target)).toThrow(
        expect.objectContaining({ code: "channel.unconfigured", message: expect.stringContaining(`\`${missing}\``) }),
      );
    }
  });

  it("need nothing for those that look at the store themselves", () => {
    expect([channelsFromEnvironment({}).resolve("dashboard"), channelsFromEnvironment({}).resolve("cli")]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it.each([
    ["slak:#fin", {}, "did you mean `slack`?"],
    ["pagerduty:payments", { SAFERUN_APPROVAL_URL: "https://gate.example/" }, "`SAFERUN_APPROVAL_URL`"],
    ["webhook:back-office", { SAFERUN_WEBHOOK_BACK_OFFICE_URL: "ftp://x/" }, "is no address"],
    ["linear:FIN", { SAFERUN_LINEAR_AGENT_SESSION: "yes" }, "write `1` or `0`"],
    ["slack:#fin", { SAFERUN_SLACK_APPROVERS: "ann" }, "`SAFERUN_SLACK_APPROVERS`"],
  ])("say what is wrong with %s and %j", (target, change, said) => {
    expect(() => channelsFromEnvironment({ ...ALL, ...change }).resolve(target)).toThrow(said);
  });

  it("are known by the variables that are set, complete or not", () => {
    expect(targetsIn(ALL)).toEqual([
      "slack:#ops-approvals",
      "linear:OPS",
      "pagerduty:payments",
      "webhook:back_office",
      "email:someone@example.com",
    ]);
    for (const target of targetsIn(ALL)) expect(channelsFromEnvironment(ALL).resolve(target)?.to).toBeTruthy();
    expect(targetsIn({ SLACK_APP_TOKEN: "xapp", PAGERDUTY_KEY_A: "" })).toEqual(["slack:#ops-approvals"]);
    expect(targetsIn({})).toEqual([]);
    expect(channelsFromEnvironment(ALL).resolve("slack:#fin")?.approvers).toBe(1);
    expect(channelsFromEnvironment(ALL).resolve("linear:FIN")?.approvers).toBe(0);
  });

  it("never repeat a secret", () => {
    const secret = `whsec_${"not base64".repeat(4)}`;
    const channels = channelsFromEnvironment({ ...ALL, SAFERUN_WEBHOOK_BACK_OFFICE_SECRET: secret });
    let said = "";
    try {
      channels.resolve("webhook:back-office");
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain("must be");
    expect(said).not.toContain("not base64");
  });

  it("answer requests for what is not set up with 501, and decide nothing", async () => {
    const errors: unknown[] = [];
    const channels = channelsFromEnvironment({}, { onError: (error) => errors.push(error) });
    const request = () => new Request("http://127.0.0.1/", { method: "POST", body: "{}" });
    expect((await channels.handle("slack", request())).status).toBe(501);
    expect((await channels.handle("webhook", request(), "ops")).status).toBe(501);
    expect(errors).toHaveLength(2);
  });
});
