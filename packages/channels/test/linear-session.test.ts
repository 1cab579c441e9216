/** Linear's agent session as the richer form of an issue, and answers whose webhook never came. Counted at the tool. */
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
  lose,
  prompt,
  said,
  sessionOn,
  setUp,
  signed,
  useLinear,
  w,
} from "./linear-setup.ts";
import { eventually } from "./world.ts";

useLinear();

/** Every so often in a test, every minute in life. */
const pollMs = 20;
const last = (session: ReturnType<typeof sessionOn>) => session.activities.at(-1);
const polls = () => front.passed.filter(({ body }) => body.includes("issues(first: 25")).length;

describe("an agent session", () => {
  it("asks with buttons, and a choice runs the call once [A6~]", async () => {
    await setUp({ agentSession: true });
    const [waiting, issue] = await asked();
    const session = sessionOn(issue);
    expect(last(session)).toMatchObject({
      content: { type: "elicitation", body: expect.stringContaining('amount: 450\nto: "ada@example.com"') },
      signal: "select",
      signalMetadata: {
        options: [
          { label: "Approve", value: "/approve" },
          { label: "Deny", value: "/deny" },
        ],
      },
    });
    expect(session.status).toBe("awaitingInput");
    expect(await prompt("ann", session, "/approve")).toBe(200);
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 450, to: "ada@example.com" }]);
    const closing = await eventually(() => (session.status === "complete" ? last(session) : undefined));
    expect(JSON.stringify(closing)).toContain("approved by ann via linear");
    expect((await issueNow(issue)).state.type).toBe("completed");
  });

  it("denies with a reason, and takes an edited block", async () => {
    await setUp({ agentSession: true });
    const [waiting, issue] = await asked();
    await prompt("ann", sessionOn(issue), "/deny ask the customer first");
    expect(await waiting.answer).toMatchObject({
      denial: { reason: expect.stringContaining("ask the customer first") },
    });
    const [other, second] = await asked();
    await prompt("bob", sessionOn(second), '/approve\n```json\n{"amount": 50, "to": "ada@example.com"}\n```');
    expect((await other.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 50, to: "ada@example.com" }]);
  });

  it("asks again after a mistake, and says how it ended to whoever is late", async () => {
    await setUp({ agentSession: true });
    const [waiting, issue] = await asked();
    const session = sessionOn(issue);
    await prompt("ann", session, "/approve\n```json\n{“amount”: 1}\n```");
    await eventually(() => (JSON.stringify(last(session)).includes("curly quotes") ? true : undefined));
    expect(session.status).toBe("awaitingInput");
    await prompt("ann", session, "/deny");
    await waiting.answer;
    await eventually(() => (session.status === "complete" ? true : undefined));
    await prompt("bob", session, "/approve");
    await eventually(() => (JSON.stringify(last(session)).includes("already decided by ann") ? true : undefined));
    expect(session.status).toBe("complete");
    expect(w.ran).toEqual([]);
  });

  it("takes no stop, no small talk, no stranger, no app, no forged author and no replay (trap 16)", async () => {
    await setUp({ agentSession: true });
    const [waiting, issue] = await asked();
    const session = sessionOn(issue);
    expect(await prompt("ann", session, "/approve", "stop")).toBe(200);
    expect(await prompt("ann", session, "approve it please")).toBe(200);
    expect(session.activities.filter(({ content }) => content.type !== "prompt")).toHaveLength(1);
    await prompt("eve", session, "/approve");
    await eventually(() => (JSON.stringify(last(session)).includes("linked to nobody") ? true : undefined));
    await prompt("bot", session, "/approve");
    const eves = session.activities.find(({ user }) => user.id === account("eve"));
    const forged = {
      type: "AgentSessionEvent",
      action: "prompted",
      webhookTimestamp: Date.now(),
      agentSession: { id: session.id },
      agentActivity: { id: eves?.id ?? "", userId: account("ann"), content: { type: "prompt", body: "/approve" } },
    };
    await setUp({ agentSession: true, ports: w.ports });
    expect((await linear.handle(signed(JSON.stringify(forged)))).status).toBe(200);
    expect((await linear.handle(signed(JSON.stringify(forged), "another"))).status).toBe(401);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
    await prompt("ann", session, "/approve");
    await waiting.answer;
    await prompt("ann", session, "/approve");
    expect(w.ran).toHaveLength(1);
  });

  it("offers no approval where it cannot show all arguments", async () => {
    await setUp({ agentSession: true });
    const [, issue] = await asked({ amount: 450, reason: "x".repeat(60_000) });
    expect(last(sessionOn(issue))?.signalMetadata).toEqual({ options: [{ label: "Deny", value: "/deny" }] });
  });
});

describe("answers whose webhook never came", () => {
  it("are found in the issue, also by another process, and late retries stay refused", async () => {
    const [waiting, issue] = await asked();
    lose();
    await comment("ann", issue, "/approve");
    expect(delivered.map(({ status }) => status)).toEqual([503]);
    const event = JSON.parse(delivered[0]?.body ?? "{}") as object;
    // Linear tries again after a minute, an hour, six hours, with the time of then and not of now.
    const late = JSON.stringify({ ...event, webhookTimestamp: Date.now() - 3_600_000 });
    expect((await linear.handle(signed(late))).status).toBe(401);
    expect((await waiting.now()).state).toBe("pending");
    await setUp({ ports: w.ports, pollMs });
    expect((await waiting.answer).status).toBe("ran");
    expect((await waiting.now()).decision?.by).toMatchObject({ id: "ann", via: "linear", verified: true });
    await said(issue, "approved by ann via linear");
    expect(w.ran).toHaveLength(1);
  });

  it("are found in a session", async () => {
    await setUp({ agentSession: true, pollMs });
    const [waiting, issue] = await asked();
    lose();
    await prompt("bob", sessionOn(issue), "/deny not today");
    expect(await waiting.answer).toMatchObject({ denial: { reason: expect.stringContaining("not today") } });
  });

  it("count no edited comment, no stranger and no guest, and answer each once", async () => {
    lose();
    const [waiting, issue] = await asked();
    const id = await comment("ann", issue, "looks good to me");
    await as(
      "ann",
      "mutation($id: String!, $input: CommentUpdateInput!) { commentUpdate(id: $id, input: $input) { success } }",
      {
        id,
        input: { body: "/approve" },
      },
    );
    await comment("eve", issue, "/approve");
    await setUp({ ports: w.ports, pollMs });
    await said(issue, "linked to nobody who may decide");
    const before = polls();
    await eventually(() => (polls() >= before + 5 ? true : undefined));
    const comments = (await issueNow(issue)).comments.filter((body) => body.includes("linked to nobody"));
    expect(comments).toHaveLength(1);
    // Another process, without a memory of what was answered, does not answer again.
    await setUp({ ports: w.ports, pollMs });
    const then = polls();
    await eventually(() => (polls() >= then + 3 ? true : undefined));
    expect((await issueNow(issue)).comments.filter((body) => body.includes("linked to nobody"))).toHaveLength(1);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("are not looked for while nothing waits", async () => {
    await setUp({ ports: w.ports, pollMs });
    const [waiting, issue] = await asked();
    await eventually(() => (polls() > 0 ? true : undefined));
    const by = { id: "ann", via: "cli", verified: true };
    await decideApproval(w.ports, { approval: waiting.approval.id, verdict: "deny", by });
    await said(issue, "denied by ann");
    const before = polls();
    await new Promise((resolve) => setTimeout(resolve, 10 * pollMs));
    expect(polls()).toBeLessThanOrEqual(before + 1);
  });
});

describe("Linear", () => {
  it("an issue with the call is decided from the issue, by comment, edit and session, verified, with or without its webhook [A6]", async () => {
    const block = '/approve\n```json\n{"amount": 50, "to": "ada@example.com"}\n```';
    for (const agentSession of [false, true]) {
      for (const arrives of [true, false]) {
        for (const [what, status, ran] of [
          ["/approve", "ran", [{ amount: 450, to: "ada@example.com" }]],
          [block, "ran", [{ amount: 50, to: "ada@example.com" }]],
          ["/deny no", "denied", []],
        ] as const) {
          w.ran.splice(0);
          await setUp({ agentSession, pollMs: arrives ? 60_000 : pollMs });
          const [waiting, issue] = await asked();
          expect((await issueNow(issue)).description).toContain('amount: 450\nto: "ada@example.com"');
          const session = agentSession ? sessionOn(issue) : undefined;
          lose(!arrives);
          const say = (name: "ann" | "eve") =>
            session === undefined ? comment(name, issue, what) : prompt(name, session, what);
          // Unsigned and unlinked say nothing.
          const unsigned = signed(JSON.stringify({ type: "Comment", webhookTimestamp: Date.now() }), "another");
          expect((await linear.handle(unsigned)).status).toBe(401);
          await say("eve");
          expect((await waiting.now()).state).toBe("pending");
          await say("ann");
          expect((await waiting.answer).status).toBe(status);
          expect(w.ran).toEqual(ran);
          await eventually(async () => ((await issueNow(issue)).state.type === "unstarted" ? undefined : true));
        }
      }
    }
  });
});
