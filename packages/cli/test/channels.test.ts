/** `saferun channels test` against vendors on loopback. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";

const secret = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;

let place: Place;
let vendor: Server;
let got: { path: string; body: string }[];
let answer: { status: number; body: string };
beforeEach(async () => {
  place = makePlace();
  got = [];
  answer = { status: 200, body: "{}" };
  vendor = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    got.push({ path: request.url ?? "", body });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(vendor, "listening");
});
afterEach(() => {
  vendor.close();
  vendor.closeAllConnections();
  place.remove();
});

const url = () => `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/`;
const webhook = () => ({
  SAFERUN_WEBHOOK_OPS_URL: url(),
  SAFERUN_WEBHOOK_OPS_SECRET: secret(1),
  SAFERUN_WEBHOOK_OPS_ANSWER_SECRET: secret(2),
  SAFERUN_WEBHOOK_OPS_APPROVERS: "42=ann",
});
const slack = () => ({ SLACK_BOT_TOKEN: "xoxb-secret", SLACK_SIGNING_SECRET: "s", SLACK_API_URL: `${url()}api/` });

function test(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  return saferun(place, ["channels", "test", ...args], "", variables);
}

describe("saferun channels test", () => {
  it("sends a test card and shows how it ended", async () => {
    const { code, stdout } = await test(["webhook:ops"], webhook());
    expect([code, got.map(({ body }) => (JSON.parse(body) as { type: string }).type)]).toEqual([
      0,
      ["approval.requested", "approval.closed"],
    ]);
    expect(got[0]?.body).toContain("There is nothing to decide.");
    for (const text of ["set-up", "1 person may answer", "sent", "closed", "press a button of a real card"]) {
      expect(stdout).toContain(text);
    }
  });

  it("says the same as JSON", async () => {
    const { code, json } = await test(["webhook:ops", "--json"], webhook());
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      target: "webhook:ops",
      ok: true,
      checks: ["set-up", "sent", "closed", "answers"].map((name) => ({ name, ok: true })),
    });
  });

  it("exits 1 with what the vendor refuses, and repeats no secret", async () => {
    answer = { status: 200, body: '{"ok":false,"error":"invalid_auth"}' };
    const { code, stdout, stderr } = await test(["slack:#ops"], slack());
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout).toContain("slack refuses with `invalid_auth`; check `SLACK_BOT_TOKEN`");
    expect(stdout).toContain("nobody may answer there yet");
    expect(stdout).not.toContain("xoxb");
  });

  it("without a target checks what is set, and sends nothing", async () => {
    const { code, stdout } = await test([], { ...webhook(), ...slack(), LINEAR_API_KEY: "lin_api_1" });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^slack +set up; nobody may answer there yet$/m);
    expect(stdout).toMatch(/^linear +`LINEAR_WEBHOOK_SECRET` is not set/m);
    expect(stdout).toMatch(/^webhook:ops +set up; 1 person may answer$/m);
    expect(got).toEqual([]);
    expect((await test([], webhook())).code).toBe(0);
    expect((await test([])).stdout).toContain("no variable of any channel is set");
  });

  it("says which variable is missing, and what is no target", async () => {
    const missing = await test(["slack:#ops"]);
    expect([missing.code, missing.stdout]).toEqual([3, ""]);
    expect(missing.stderr).toContain("`SLACK_BOT_TOKEN` is not set");
    const wrong = await test(["slak:#ops", "--json"]);
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.stderr)).toMatchObject({
      error: { code: "usage", message: expect.stringContaining("did you mean") },
    });
    expect((await test(["dashboard"])).stdout).toContain("looks at the store by itself");
  });
});
