import { type ApprovalRecord, type CallRecord, type JsonObject, normalize } from "@saferun/core";
import { createMemoryStore, nodeHash } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { asked, VirtualClock, world } from "./world.ts";

describe("rows that somebody else wrote (trap 14)", () => {
  const forged: readonly (readonly [
    string,
    (row: CallRecord, asked: ApprovalRecord) => [CallRecord, ApprovalRecord],
  ])[] = [
    [
      "an approval with other arguments, called unedited",
      (row, asked) => forge(row, asked, { amount: 450, charge: "ch_2" }, false),
    ],
    [
      "an approval with an edit that nobody may make",
      (row, asked) => forge(row, asked, { amount: 500, charge: "ch_2" }, true),
    ],
    [
      "an approval of another call",
      (row, asked) => {
        const [call, approval] = forge(row, asked, { amount: 500, charge: "ch_1" }, false);
        return [call, { ...approval, call: "call_other" }];
      },
    ],
    [
      "an approval that nobody with the role has agreed to",
      (row, asked) => {
        const [call, approval] = forge(row, asked, { amount: 500, charge: "ch_1" }, false);
        return [call, { ...approval, votes: [] }];
      },
    ],
    ...(["pending", "suspended", "denied", "expired", "withdrawn", "consumed"] as const).map(
      (state) =>
        [
          `an approved call beside an approval that is ${state}`,
          (row: CallRecord, asked: ApprovalRecord): [CallRecord, ApprovalRecord] => {
            const [call, approval] = forge(row, asked, { amount: 500, charge: "ch_1" }, false);
            return [call, { ...approval, state }];
          },
        ] as const,
    ),
    ...(["approved", "denied", "expired", "withdrawn", "consumed"] as const).map(
      (state) =>
        [
          `a pending call beside an approval that is ${state}`,
          (row: CallRecord, asked: ApprovalRecord): [CallRecord, ApprovalRecord] => {
            const [call, approval] = forge(row, asked, { amount: 500, charge: "ch_1" }, false);
            return [
              { ...call, state: "pending" },
              { ...approval, state },
            ];
          },
        ] as const,
    ),
    [
      "a denial in an approved row",
      (row, asked) => {
        const [call, approval] = forge(row, asked, { amount: 500, charge: "ch_1" }, false);
        return [call, { ...approval, decision: approval.decision && { ...approval.decision, verdict: "deny" } }];
      },
    ],
  ];

  function forge(
    row: CallRecord,
    asked: ApprovalRecord,
    args: JsonObject,
    edited: boolean,
  ): [CallRecord, ApprovalRecord] {
    const normalized = normalize({ tool: "refund", args, agent: "bot", environment: "prod" }, nodeHash);
    if (!normalized.ok) throw new Error("malformed");
    const { digest, bytes } = normalized.call;
    const by = { id: "local:mallory", via: "test", verified: false };
    const decision = {
      verdict: "approve",
      by,
      at: 0,
      note: null,
      digest,
      bytes,
      edited,
      validUntil: 9e15,
      clockBehindMs: 0,
    } as const;
    const call: CallRecord = { ...row, state: "approved", digest, bytes, version: row.version + 1 };
    const votes = [{ by, at: 0, note: null }];
    return [call, { ...asked, state: "approved", decision, votes, version: asked.version + 1 }];
  }

  it.each(forged)("%s: the tool did not run", async (_name, write) => {
    const at = world();
    const answer = at.call({ amount: 500, charge: "ch_1" });
    const approval = await asked(at);
    const row = await at.store.call(approval.call);
    if (row === undefined) throw new Error("no call");
    const [call, decided] = write(row, approval);
    const approvals = [{ row: decided, expect: approval.version }];
    await at.store.commit({ calls: [{ row: call, expect: row.version }], approvals, entries: [] });
    expect(await answer).toMatchObject({ status: "denied", denial: { rules: ["approval.mismatch"] } });
    expect(at.ran).toEqual([]);
  });
});

describe("many calls that wait", () => {
  it("ask the store together, and each gets its own answer", async () => {
    let questions = 0;
    const clock = new VirtualClock();
    const inner = createMemoryStore({ clock });
    const store = new Proxy(inner, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name === "changeToken") questions++;
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const at = world({ store, clock });
    const answers = Array.from({ length: 100 }, (_, index) => at.call({ amount: 101 + index }));
    await asked(at, 100);
    const before = questions;
    for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
    // Alone, each of them would have asked in each of the turns.
    expect(questions - before).toBeLessThan(40 * 100 * 0.1);
    for (const approval of [...at.paused]) await at.decide("approve", undefined, approval.id);
    expect((await Promise.all(answers)).every((answer) => answer.status === "ran")).toBe(true);
    expect(new Set(at.ran.map((args) => args.amount)).size).toBe(100);
  });
});
