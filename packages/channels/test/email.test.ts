/** The e-mail channel against a real SMTP server on loopback, and its page with signed-in people. Counted at the tool. */
import { decideApproval } from "@saferun/core";
import { describe, expect, it } from "vitest";
import {
  asked,
  channel,
  email,
  look,
  mails,
  OWN,
  outcome,
  port,
  refusals,
  send,
  setUp,
  useEmail,
  w,
} from "./email-setup.ts";
import { DEADLINE_MS } from "./world.ts";

useEmail();

describe("a decision by e-mail", () => {
  it("approve: mail, page, form, one run, and a mail with the outcome [A8~]", async () => {
    const [waiting, link] = await asked();
    expect(mails[0]).not.toContain("ada@example.com");
    const page = await (await look(link, "7")).text();
    expect(page).toContain("amount: 450\nto: &quot;ada@example.com&quot;");
    const { status, text } = await send(link, "7", { verdict: "approve", "field.0": "450" });
    expect([status, text]).toEqual([200, expect.stringContaining("applied: approved by ann via email")]);
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 450, to: "ada@example.com" }]);
    expect(await outcome()).toMatch(/In-Reply-To: <[0-9a-f]{32}@ops\.example\.com>/);
  });

  it("deny: the tool does not run", async () => {
    const [waiting, link] = await asked();
    expect((await send(link, "8", { verdict: "deny", note: "wrong person" })).status).toBe(200);
    expect(await waiting.answer).toMatchObject({ denial: { reason: "a person denied this call: wrong person" } });
    expect(w.ran).toEqual([]);
  });

  it("edit: runs as typed; a mistake brings the form back", async () => {
    const [waiting, link] = await asked();
    for (const [typed, said] of [
      ["fifty", "must be JSON"],
      ["“50”", "curly quotes"],
      ["9007199254740993", "beyond"],
    ] as const) {
      const { status, text } = await send(link, "7", { verdict: "approve", "field.0": typed });
      expect([status, text]).toEqual([422, expect.stringContaining(said)]);
    }
    expect((await waiting.now()).state).toBe("pending");
    expect((await send(link, "7", { verdict: "approve", "field.0": "50" })).status).toBe(200);
    await waiting.answer;
    expect(w.ran).toEqual([{ amount: 50, to: "ada@example.com" }]);
  });

  it("expire: the outcome is mailed, and the form answers expired", async () => {
    const [waiting, link] = await asked();
    w.clock.moveOn(DEADLINE_MS + 1);
    expect(await waiting.answer).toMatchObject({ denial: { status: "expired" } });
    expect(await outcome()).toContain("expired; nobody answered in");
    expect((await send(link, "7", { verdict: "approve" })).status).toBe(410);
    expect(await (await look(link, "7")).text()).not.toContain("<form");
    expect(w.ran).toEqual([]);
  });

  it("replay and second decision: one run (trap 15)", async () => {
    const [waiting, link] = await asked();
    await send(link, "7", { verdict: "approve" });
    await waiting.answer;
    expect((await send(link, "7", { verdict: "approve" })).status).toBe(409);
    const second = await send(link, "8", { verdict: "deny" });
    expect(second.text).toContain("already decided by ann via email: approved");
    expect(w.ran).toHaveLength(1);
  });

  it("elsewhere: the outcome is mailed", async () => {
    const [waiting] = await asked();
    const by = { id: "local:ada", via: "cli", verified: false };
    await decideApproval(w.ports, { approval: waiting.approval.id, verdict: "deny", by });
    expect(await outcome()).toContain("denied by local:ada via cli");
  });
});

describe("links and forms (trap 16)", () => {
  it("a scanner that opens the link decides nothing and sees nothing", async () => {
    const [waiting, link] = await asked();
    for (const method of ["GET", "HEAD"]) {
      const response = await look(link, undefined, method);
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain("amount");
    }
    const opened = `${link}&verdict=approve`;
    expect((await look(opened, "7")).status).toBe(200);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("nobody but the people of the configuration sees or decides", async () => {
    const [waiting, link] = await asked();
    for (const account of ["9", "__proto__", "constructor"]) {
      expect((await look(link, account)).status).toBe(403);
      expect((await send(link, account, { verdict: "approve" })).status).toBe(403);
    }
    expect((await waiting.now()).state).toBe("pending");
  });

  it.each([
    ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["a sister site", { "sec-fetch-site": "same-site" }],
    ["nowhere that can be believed", { origin: "null" }],
    ["JSON", { ...OWN, "content-type": "application/json" }],
    ["a form as text", { ...OWN, "content-type": "text/plain" }],
  ])("refuses a form from %s (trap 25)", async (_, headers) => {
    const [waiting, link] = await asked();
    expect((await send(link, "7", { verdict: "approve" }, headers)).status).toBe(403);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("refuses a request that does not say where it comes from", async () => {
    const [waiting, link] = await asked();
    expect((await send(link, "7", { verdict: "approve" }, {})).status).toBe(403);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("refuses links that it did not make, for another version or approval (trap 14)", async () => {
    const [waiting, link] = await asked();
    for (const change of [
      { nonce: "AAAAAAAAAAAAAAAAAAAAAA" },
      { version: "2" },
      { version: "1e0" },
      { approval: "appr_none" },
    ]) {
      expect((await send(link, "7", { verdict: "approve", ...change })).status).toBe(404);
    }
    expect((await send(link, "7", { verdict: "yes" })).status).toBe(400);
    await w.store.commit({
      approvals: [{ row: { ...waiting.approval, version: 2, since: 2 }, expect: 1 }],
      entries: [],
    });
    expect((await send(link, "7", { verdict: "approve" })).text).toContain("stale version");
    expect((await waiting.now()).state).toBe("pending");
  });

  it("lets the application send people to its sign-in, and refuses what is too large or another method", async () => {
    const [, link] = await asked();
    await setUp({ ports: w.ports, identify: () => Response.redirect("https://ops.example.com/sign-in") });
    expect((await look(link)).headers.get("location")).toBe("https://ops.example.com/sign-in");
    expect((await look(link, "7", "DELETE")).status).toBe(405);
    expect((await send(link, "7", { note: "x".repeat(1_100_000) })).status).toBe(413);
  });
});

describe("mails and pages", () => {
  it("show what others wrote as text (trap 27)", async () => {
    const [, link] = await asked({ amount: 450, reason: "<script>alert(1)</script>\u202e</textarea><b>", to: "a'\"" });
    const response = await look(link, "7");
    const page = await response.text();
    expect(page).not.toContain("<script>");
    expect(page).toContain("&lt;script&gt;");
    expect(page).not.toContain("\u202e");
    expect(page).toContain("reason holds characters that cannot be shown");
    expect(page.match(/<\/textarea>/g)).toHaveLength(2);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(mails.at(-1)).not.toContain("script");
  });

  it("are sent again after a temporary failure, under the same Message-ID, and not after a refusal", async () => {
    refusals.push(Object.assign(new Error("busy"), { responseCode: 451 }));
    const [waiting] = await asked();
    expect((await waiting.now()).state).toBe("pending");
    refusals.push(Object.assign(new Error("no such person"), { responseCode: 550 }));
    const other = await w.propose({ amount: 451 });
    await expect(email.notify("nobody@example.com", other)).rejects.toMatchObject({
      code: "channel.undelivered",
      message: "the mail server answers with 550",
    });
    expect(mails).toHaveLength(1);
  });

  it("go to no server that would send them in the clear, unless it is told to", async () => {
    await setUp({ smtp: `smtp://127.0.0.1:${port()}` });
    const waiting = await w.propose({ amount: 450 });
    await expect(email.notify("a@example.com", waiting)).rejects.toMatchObject({ code: "channel.undelivered" });
    expect(mails).toEqual([]);
  });

  it.each([
    [{ smtp: "mail.example.com" }, /`smtp`/],
    [{ page: "http://ops.example.com/" }, /`page`/],
    [{ page: "/approve" }, /`page`/],
    [{ secret: "short" }, /`secret`/],
  ])("are refused with %j", (options, said) => {
    expect(() => channel(options)).toThrow(said);
  });
});
