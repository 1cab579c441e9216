/** What is swept while others die: calls whose process is gone, and rows that nobody can read. */
import {
  type ApprovalRecord,
  auditStore,
  createGate,
  createSweeper,
  decodeHold,
  type Gate,
  LIMITS,
  SafeRunError,
  type Store,
  toLookAt,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { createMemoryStore, nodeRandom } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { asked, byAmount, decision, VirtualClock, type World, world } from "./world.ts";

const sweeperOf = (w: World, store: Store = w.store) => createSweeper({ store, clock: w.clock, random: nodeRandom });

/** Two calls of everything, ever. */
const policiesOf = (limit: bigint) => ({
  ...WITHOUT_LIMITS,
  revision: "r1",
  evaluate: () => decision("allow"),
  explain: () => decision("allow"),
  kind: () => "write" as const,
  declares: () => true,
  boundPaths: () => [],
  bound: <Args>(_tool: string, args: Args) => args,
  budgets: () => [
    {
      budget: "b",
      digest: "b1",
      unit: "calls",
      key: [],
      window: { kind: "ever" } as const,
      limit,
      over: "deny" as const,
      amount: 1n,
      pause: { id: "budget:b", digest: "b1", reason: "over", approval: WITHOUT_LIMITS.approval },
      span: { file: "p.yaml", line: 1, column: 1 },
    },
  ],
});

/** A process of its own on the same store: it dies when nobody waits for it any more. */
function peerOf(w: World, writerId: string): { readonly gate: Gate; readonly store: Store } {
  const store = { ...w.store, writerId };
  return { store, gate: createGate({ ...w.ports, store, policies: { current: () => policiesOf(2n) } }) };
}

describe("a call whose process is gone", () => {
  it("becomes unknown when its lease is over, never approved again, and its hold stays [B4~] (trap 19)", async () => {
    const clock = new VirtualClock();
    const w = world({ clock, store: createMemoryStore({ clock }) });
    const dead = peerOf(w, "dead");
    const run = { id: "run_1", agent: "bot", environment: "prod" };
    let contacted = 0;
    let answer: (value: unknown) => void = () => undefined;
    const request = { tool: "pay", args: { amount: 1 }, key: "k" };
    const first = dead.gate.call(dead.gate.openRun(run), request, () => {
      contacted++;
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    while (contacted === 0) await new Promise((resolve) => setImmediate(resolve));
    const [call] = await w.store.callsIn(["executing"], 9);
    clock.time += LIMITS.leaseMs - 1;
    const sweeper = sweeperOf(w);
    expect((await sweeper.step()).unknown).toEqual([]);
    clock.time += 1;
    // Its own process knows that it still runs.
    expect((await sweeperOf(w, dead.store).step()).unknown).toEqual([]);
    const swept = await Promise.all([sweeper.step(), sweeperOf(w).step()]);
    expect(swept.flatMap(({ unknown }) => unknown)).toEqual([call?.id]);
    expect(toLookAt({ unknown: [call?.id ?? ""], broken: [] })).toEqual([
      `call \`${call?.id}\` was cut off: nobody knows whether its tool acted (\`saferun budgets reconcile ${call?.id}\`)`,
    ]);
    const holds = await w.store.rows({ kind: "hold", limit: 9 });
    expect(holds.map(({ value }) => decodeHold(value).state)).toEqual(["held"]);

    const other = peerOf(w, "other");
    const again = await other.gate.call(other.gate.openRun(run), request, () => contacted++);
    expect(again.status).toBe("denied");
    expect(contacted).toBe(1);
    expect((await sweeper.step()).unknown).toEqual([]);

    // It was only slow after all: the same fence may still say how it ended.
    answer("done");
    expect((await first).status).toBe("ran");
    expect((await w.store.call(call?.id ?? ""))?.state).toBe("succeeded");
    expect((await auditStore(w.store)).faults).toEqual([]);
    expect(contacted).toBe(1);
  });
});

describe("a row that cannot be read", () => {
  const waiting = async (w: World, amount: number): Promise<ApprovalRecord> => {
    const count = w.paused.length + 1;
    await w.call({ amount }, { key: `k${amount}`, maxWaitMs: 0 });
    return asked(w, count);
  };

  it.each<[string, (row: ApprovalRecord) => unknown]>([
    ["is no JSON", () => new SafeRunError("record.unavailable", "the store cannot be used: Unexpected token")],
    ["is null", () => null],
    ["has lost its reasons", (row) => ({ ...row, reasons: undefined, deadline: Number.MAX_SAFE_INTEGER })],
  ])("because it %s holds up no other, and is told of", async (_how, damaged) => {
    const w = world({ judge: byAmount });
    const [first, second] = [await waiting(w, 500), await waiting(w, 501)];
    const store: Store = {
      ...w.store,
      async approval(id) {
        const row = await w.store.approval(id);
        if (id !== first.id || row === undefined) return row;
        const value = damaged(row);
        if (value instanceof Error) throw value;
        return value as ApprovalRecord;
      },
    };
    w.clock.time = second.deadline;
    const swept = await sweeperOf(w, store).step();
    expect(swept.expired).toEqual([second.id]);
    expect(swept.broken.map(({ call }) => call)).toEqual([first.call]);
    expect(toLookAt(swept)[0]).toMatch(/^call `call_\w+` waits on damaged rows \(`saferun log verify`\): \S/);
    expect(w.ran).toEqual([]);
  });

  it("is not what is said of a store that has failed itself", async () => {
    const w = world({ judge: byAmount });
    await waiting(w, 500);
    const gone = async () => {
      throw new SafeRunError("record.unavailable", "the store is closed");
    };
    await expect(sweeperOf(w, { ...w.store, approval: gone, head: gone }).step()).rejects.toThrow("closed");
    const full = async () => {
      throw new SafeRunError("record.full", "the disk is full");
    };
    w.clock.time += 10_000_000;
    await expect(sweeperOf(w, { ...w.store, commit: full }).step()).rejects.toThrow("full");
  });
});
