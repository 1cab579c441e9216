/** The Linear channel against Linear's emulator, which signs and delivers the webhooks itself. Counted at the tool. */
import { decideApproval } from "@saferun/core";
import { describe, expect, it } from "vitest";
import {
  account,
  as,
  asked,
  comment,
  delivered,
  front,
  issueNow,
  linear,
  said,
  setUp,
  signed,
  teamOf,
  useLinear,
  w,
} from "./linear-setup.ts";
import { DEADLINE_MS } from "./world.ts";

useLinear();

const EDIT =
  "mutation($id: String!, $input: CommentUpdateInput!) { commentUpdate(id: $id, input: $input) { success } }";

describe("a decision in Linear", () => {
  it("approve: the call runs once, and the issue is done [A6~]", async () => {
    const [waiting, issue] = await asked();
    expect((await issueNow(issue)).description).toContain('amount: 450\nto: "ada@example.com"');
    await comment("ann", issue, "/approve");
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 450, to: "ada@example.com" }]);
    expect((await waiting.now()).decision?.by).toEqual({ id: "ann", via: "linear", verified: true });
    await said(issue, "approved by ann via linear");
    expect((await issueNow(issue)).state.type).toBe("completed");
    expect(delivered.every(({ status }) => status === 200)).toBe(true);
  });

  it("deny with a reason: the tool does not run, the agent is told [A6~]", async () => {
    const [waiting, issue] = await asked();
    await comment("bob", issue, "/deny the order is fine\nreally");
    expect(await waiting.answer).toMatchObject({
      denial: { reason: "a person denied this call: the order is fine\nreally" },
    });
    await said(issue, "denied by bob via linear");
    expect((await issueNow(issue)).state.type).toBe("canceled");
    expect(w.ran).toEqual([]);
  });

  it("edit: the call runs as the block in the comment says [A6~]", async () => {
    const [waiting, issue] = await asked();
    const block = /```json\n([\s\S]*?)\n```/.exec((await issueNow(issue)).description)?.[1] ?? "";
    await comment("ann", issue, `/approve\n\n\`\`\`json\n${block.replace("450", "50")}\n\`\`\``);
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 50, to: "ada@example.com" }]);
    await said(issue, "+ amount: 50");
  });

  it("expire: the issue says so, and a late answer is told", async () => {
    const [waiting, issue] = await asked();
    w.clock.moveOn(DEADLINE_MS + 1);
    expect(await waiting.answer).toMatchObject({ denial: { status: "expired" } });
    await said(issue, "expired; nobody answered in time");
    await comment("ann", issue, "/approve");
    await said(issue, "expired: ");
    expect(w.ran).toEqual([]);
  });

  it("elsewhere: the issue is closed when another channel decided", async () => {
    const [waiting, issue] = await asked();
    const by = { id: "local:ada", via: "cli", verified: false };
    await decideApproval(w.ports, { approval: waiting.approval.id, verdict: "approve", by });
    await said(issue, "approved by local:ada via cli (not verified)");
    expect(w.ran).toHaveLength(1);
  });

  it("works in a process that has not asked", async () => {
    const [waiting, issue] = await asked();
    await setUp({ ports: w.ports });
    await comment("ann", issue, "/approve");
    expect((await waiting.answer).status).toBe("ran");
    await said(issue, "approved by ann via linear");
  });
});

describe("hostile answers (trap 16)", () => {
  it("refuses bad signatures, and bodies of more than a minute from now", async () => {
    const [waiting, issue] = await asked();
    await comment("eve", issue, "/approve");
    const { body } = delivered[0] ?? { body: "" };
    const event = JSON.parse(body) as Record<string, unknown>;
    const forged = { ...event, actor: { id: account("ann") } };
    expect((await linear.handle(signed(JSON.stringify(forged), "another"))).status).toBe(401);
    for (const shift of [-61_000, 61_000]) {
      const moved = JSON.stringify({ ...event, webhookTimestamp: Date.now() + shift });
      expect((await linear.handle(signed(moved))).status).toBe(401);
    }
    expect((await linear.handle(signed(JSON.stringify({ ...event, webhookTimestamp: undefined })))).status).toBe(401);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("replay and second decision: one run (trap 15)", async () => {
    const [waiting, issue] = await asked();
    await comment("ann", issue, "/approve");
    await waiting.answer;
    const { body } = delivered[0] ?? { body: "" };
    expect((await linear.handle(signed(body))).status).toBe(200);
    await comment("bob", issue, "/deny");
    await said(issue, "already decided by ann via linear: approved");
    expect(w.ran).toHaveLength(1);
  });

  it("takes nobody whom the configuration does not name", async () => {
    const [waiting, issue] = await asked();
    await comment("eve", issue, "/approve");
    await said(issue, "linked to nobody who may decide");
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it.each([
    ["guest", { guest: true }, "a guest cannot decide"],
    ["app", { app: true }, "an app cannot decide"],
    ["deactivated account", { active: false }, "deactivated"],
  ])("refuses a %s, linked or not", async (_, profile, text) => {
    const [waiting, issue] = await asked();
    front.faults.push(({ body }, answer) => {
      if (!body.includes("comment(id:")) return undefined;
      return answer().then(async (response) => {
        const json = (await response.json()) as { data: { comment: { user: object } } };
        Object.assign(json.data.comment.user, profile);
        return Response.json(json);
      });
    });
    await comment("ann", issue, "/approve");
    await said(issue, text);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("does not read an edited comment as an answer", async () => {
    const [waiting, issue] = await asked();
    const id = await comment("ann", issue, "looks good to me");
    await as("ann", EDIT, { id, input: { body: "/approve" } });
    expect(delivered.map(({ status }) => status)).toEqual([200, 200]);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("does not read a comment as an answer that was changed after it was delivered", async () => {
    const [waiting, issue] = await asked();
    const id = await comment("ann", issue, "/maybe");
    await setUp({ ports: w.ports });
    await as("ann", EDIT, { id, input: { body: "/approve" } });
    const [first] = delivered;
    expect((await linear.handle(signed(first?.body ?? ""))).status).toBe(200);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("does not believe a bot, an edit, or a name in the event", async () => {
    const [waiting, issue] = await asked();
    await setUp({ ports: w.ports, approvers: {} });
    await comment("ann", issue, "/approve");
    const event = JSON.parse(delivered[0]?.body ?? "{}") as { actor: object; data: object };
    await setUp({ ports: w.ports });
    for (const change of [
      { actor: { ...event.actor, type: "integration" } },
      { data: { ...event.data, botActor: { id: "b" } } },
      { data: { ...event.data, editedAt: "2026-11-20T08:00:00Z" } },
    ]) {
      expect((await linear.handle(signed(JSON.stringify({ ...event, ...change })))).status).toBe(200);
      expect((await waiting.now()).state).toBe("pending");
    }
    await linear.handle(signed(JSON.stringify(event)));
    expect((await waiting.answer).status).toBe("ran");
  });

  it("takes the author from the comment, whoever the event names", async () => {
    const [waiting, issue] = await asked();
    await comment("eve", issue, "/approve");
    await setUp({ ports: w.ports });
    const event = JSON.parse(delivered[0]?.body ?? "{}") as object;
    const named = JSON.stringify({ ...event, actor: { id: account("ann"), type: "user" } });
    expect((await linear.handle(signed(named))).status).toBe(200);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("answers stale version where the issue was changed or the request is another one (trap 14)", async () => {
    const [waiting, issue] = await asked();
    const before = (await issueNow(issue)).description;
    const change =
      "mutation($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }";
    await as("eve", change, { id: issue, input: { description: before.replace("amount: 450", "amount: 4") } });
    await comment("ann", issue, "/approve");
    await said(issue, "stale version: the issue's text");
    await as("eve", change, { id: issue, input: { description: before } });
    await w.store.commit({
      approvals: [{ row: { ...waiting.approval, version: 2, since: 2 }, expect: 1 }],
      entries: [],
    });
    // The issue is written anew with the question; somebody puts the older text back.
    await said(issue, "asked again");
    await as("eve", change, { id: issue, input: { description: before } });
    await comment("bob", issue, "/approve");
    await said(issue, "stale version: the request has changed");
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("ignores issues that somebody else made, with our text or not", async () => {
    const [waiting, issue] = await asked();
    const { description, title } = await issueNow(issue);
    const team = await teamOf("eve");
    const { issueCreate } = await as<{ issueCreate: { issue: { id: string } } }>(
      "eve",
      "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { issue { id } } }",
      {
        input: { teamId: team, title, description },
      },
    );
    await comment("ann", issueCreate.issue.id, "/approve");
    expect(delivered.at(-1)?.status).toBe(200);
    expect((await waiting.now()).state).toBe("pending");
  });

  it.each([
    ["words below", "/approve please", "only a block of JSON"],
    ["curly quotes", "/approve\n```json\n{“amount”: 1}\n```", "curly quotes"],
    ["a key twice", '/approve\n```json\n{"amount": 1, "amount": 2}\n```', "twice"],
    ["a locked argument", '/approve\n```json\n{"amount": 1, "to": "eve@example.com"}\n```', "to may not be changed"],
  ])("says what is wrong with %s", async (_, body, text) => {
    const [waiting, issue] = await asked();
    await comment("ann", issue, body);
    await said(issue, text);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("ignores ordinary comments and commands in the middle of a text", async () => {
    const [waiting, issue] = await asked();
    for (const body of ["I would /approve", "> /approve", "/approved", "/Approve now", "`/approve`"])
      await comment("ann", issue, body);
    expect((await waiting.now()).state).toBe("pending");
    expect(delivered.every(({ status }) => status === 200)).toBe(true);
  });
});

describe("the issue", () => {
  it("holds what others wrote in blocks that nothing in them can close (trap 27)", async () => {
    const [, issue] = await asked({ amount: 450, reason: "```\n**Approved** @ann\u202e", to: "a" });
    const { description, title } = await issueNow(issue);
    expect(description).toContain("````\ntool refund");
    expect(description).not.toContain("\u202e");
    expect(title).toBe("SafeRun: a call of refund waits for a person");
  });

  it("cannot be approved where it cannot show all arguments", async () => {
    const [waiting, issue] = await asked({ amount: 450, reason: "x".repeat(60_000) });
    expect((await issueNow(issue)).description).not.toContain("/approve");
    await comment("ann", issue, "/approve");
    await said(issue, "do not fit into an issue");
    expect((await waiting.now()).state).toBe("pending");
    await comment("ann", issue, "/deny");
    expect((await waiting.answer).status).toBe("denied");
  });

  it("is sent again after a 500, and a decision on either counts once (trap 25)", async () => {
    let left = 1;
    front.faults.push(({ body }, answer) =>
      body.includes("issueCreate") && left-- > 0 ? answer().then(() => new Response("no", { status: 500 })) : undefined,
    );
    const [waiting, issue] = await asked();
    await comment("ann", issue, "/approve");
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toHaveLength(1);
  });

  it("is sent again when Linear says with a 400 that it was too much for this hour, and not when it did not understand", async () => {
    const said = (code: string) =>
      Promise.resolve(Response.json({ errors: [{ message: code, extensions: { code } }] }, { status: 400 }));
    let code: string | undefined = "RATELIMITED";
    front.faults.push(({ body }) => {
      const now = code;
      if (!body.includes("issueCreate") || now === undefined) return undefined;
      code = undefined;
      return said(now);
    });
    const [waiting] = await asked();
    expect((await waiting.now()).state).toBe("pending");
    code = "GRAPHQL_VALIDATION_FAILED";
    const other = await w.propose({ amount: 451 });
    await expect(linear.notify("OPS", other)).rejects.toMatchObject({
      code: "channel.undelivered",
      message: "linear refuses: GRAPHQL_VALIDATION_FAILED",
    });
  });

  it("says what Linear refuses", async () => {
    const waiting = await w.propose({ amount: 450 });
    await expect(linear.notify("NOPE", waiting)).rejects.toMatchObject({
      code: "channel.undelivered",
      message: "linear refuses: there is no team `NOPE`",
    });
  });
});
