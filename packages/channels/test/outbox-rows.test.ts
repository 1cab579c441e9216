/** The outbox in a real store: written with other rows, leased and sent by two dispatchers that race. */
import { outboxRows, queued, toState } from "@saferun/core";
import { createMemoryStore, nodeClock } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { createDispatcher } from "../src/dispatcher.ts";

const store = () => createMemoryStore({ clock: nodeClock });
const about = { channel: "slack:#fin", kind: "asked", version: 1, giveUpAt: Number.MAX_SAFE_INTEGER } as const;

describe("the outbox in a store", () => {
  it("is written once for each approval, channel, kind and version, in the caller's transaction", async () => {
    const kept = store();
    const row = toState(queued({ ...about, approval: "appr_1" }, 0));
    expect((await kept.commit({ rows: [{ row, expect: null }], entries: [] })).ok).toBe(true);
    expect((await kept.commit({ rows: [{ row, expect: null }], entries: [] })).ok).toBe(false);
    expect(await outboxRows(kept).about("appr_1")).toHaveLength(1);
    expect(await outboxRows(kept).about("appr_")).toEqual([]);
    await kept.close();
  });

  it("goes out once under two dispatchers, and is found again with the vendor's id", async () => {
    const kept = store();
    const rows = outboxRows(kept);
    for (let n = 1; n <= 30; n++) {
      const row = toState(queued({ ...about, approval: `appr_${n}` }, 0));
      await kept.commit({ rows: [{ row, expect: null }], entries: [] });
    }
    const posts: string[] = [];
    const dispatcher = (owner: string) =>
      createDispatcher({
        rows,
        channels: () => ({
          send: async ({ approval }) => `ts-${posts.push(approval)}`,
          failure: () => ({ retry: true, message: "down" }),
        }),
        clock: nodeClock,
        owner,
        standing: async () => ({ state: "open", version: 1, reads: "" }),
        onError: (error) => {
          throw error;
        },
      });
    const [one, other] = [dispatcher("a"), dispatcher("b")];
    for (let round = 0; round < 5; round++) await Promise.all([one.tick(), other.tick()]);
    expect(new Set(posts).size).toBe(30);
    expect(posts).toHaveLength(30);
    expect(await rows.about("appr_7")).toMatchObject([
      { state: { name: "sent", message: expect.stringMatching(/^ts-/) }, attempts: 1 },
    ]);
    // They are followed until their question is over.
    expect(await rows.due(Number.MAX_SAFE_INTEGER, 100)).toHaveLength(30);
    await kept.close();
  });

  it("passes over rows of others and rows that are none", async () => {
    const kept = store();
    for (const [id, value] of [
      ["escalation/appr_1/1", { approval: "appr_1", to: ["cli"] }],
      ["message/appr_1 asked 1 slack:#fin", { approval: "appr_1", channel: "slack:#fin", kind: "asked" }],
      ["message/appr_1 asked 2 slack:#fin", ["odd"]],
    ] as const) {
      const row = { kind: "outbox", id, version: 1, due: 0, value } as const;
      await kept.commit({ rows: [{ row, expect: null }], entries: [] });
    }
    expect(await outboxRows(kept).due(1, 10)).toEqual([]);
    expect(await outboxRows(kept).about("appr_1")).toEqual([]);
    await kept.close();
  });
});
