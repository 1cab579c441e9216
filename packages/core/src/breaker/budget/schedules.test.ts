import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallState } from "../../lifecycle.ts";
import { audit } from "./audit.ts";
import { changePots, expireHold, type Hold, type HoldStep, type Pot, reserve, settle, voidHold } from "./hold.ts";

const LIMITS = { tenant: 100n, agent: 60n, run: 45n } as const;
const DEADLINE = 10;

/** What one worker does after it has asked for its money. */
type Plan =
  | "settle"
  | "settle twice"
  | "void"
  | "die after the tool ran"
  | "die before the tool ran"
  | "be denied"
  | "wait for ever";

interface Job {
  readonly amount: number;
  /** In percent of the amount. */
  readonly used: number;
  readonly path: readonly (keyof typeof LIMITS)[];
  readonly plan: Plan;
}

const job: fc.Arbitrary<Job> = fc.record({
  amount: fc.integer({ min: 1, max: 30 }),
  used: fc.integer({ min: 0, max: 100 }),
  path: fc.constantFrom<Job["path"][]>(["tenant"], ["agent", "tenant"], ["run", "agent", "tenant"], ["tenant", "run"]),
  plan: fc.constantFrom<Plan[]>(
    "settle",
    "settle twice",
    "void",
    "die after the tool ran",
    "die before the tool ran",
    "be denied",
    "wait for ever",
  ),
});

/** Waits for its turn: the scheduler decides who goes on. */
type Turn = () => Promise<void>;

/** A store with compare-and-set on the pots, and a turn before every read and every commit. */
class ModelStore {
  pots: readonly Pot[] = Object.entries(LIMITS).map(([id, limit]): Pot => {
    return { id, budget: id, unit: "usd_micros", limit, raised: 0n, over: "deny", held: 0n, spent: 0n, marked: 0 };
  });
  holds = new Map<string, Hold>();
  calls = new Map<string, CallState>();
  /** What the tools really did: the truth that nobody reads before the end. */
  truth = new Map<string, bigint>();
  version = 0;
  /** The most that was ever held and spent, by pot. */
  peak = new Map<string, bigint>();
  readonly turn: Turn;

  constructor(turn: Turn) {
    this.turn = turn;
  }

  async change(make: (store: ModelStore) => (() => void) | undefined): Promise<boolean> {
    for (;;) {
      await this.turn();
      const seen = this.version;
      const write = make(this);
      if (write === undefined) return false;
      await this.turn();
      if (this.version !== seen) continue;
      write();
      this.version++;
      for (const { id, held, spent } of this.pots) {
        const used = held + spent;
        if (used > (this.peak.get(id) ?? 0n)) this.peak.set(id, used);
      }
      return true;
    }
  }

  put(step: HoldStep, call: CallState): (() => void) | undefined {
    if (!step.ok) return undefined;
    return () => {
      this.holds.set(step.hold.id, step.hold);
      this.pots = changePots(this.pots, step.changes);
      this.calls.set(step.hold.call, call);
    };
  }

  hold(id: string): Hold {
    const hold = this.holds.get(id);
    if (hold === undefined) throw new Error(`no hold ${id}`);
    return hold;
  }
}

async function work(store: ModelStore, id: string, { amount, used, path, plan }: Job): Promise<void> {
  const parts = path.map((pot) => ({ pot, amount: BigInt(amount) }));
  const reserved = await store.change(({ pots }) => {
    const step = reserve(pots, { id, call: id, attempt: 1, parts, at: 0, deadline: DEADLINE });
    if (!step.ok) return undefined;
    return () => {
      store.holds.set(id, step.hold);
      store.pots = store.pots.map((pot) => step.pots.find((one) => one.id === pot.id) ?? pot);
      store.calls.set(id, plan === "be denied" || plan === "wait for ever" ? "pending" : "executing");
    };
  });
  // Claimed and reserved in one transaction: who dies after it leaves an executing call, who waits a pending one.
  if (!reserved || plan === "wait for ever") return;
  if (plan === "be denied") {
    await store.change(() => store.put(voidHold(store.hold(id), { by: "gate" }, 1), "denied"));
    return;
  }
  await store.turn();
  if (plan === "die before the tool ran") return;
  const spent = (BigInt(amount) * BigInt(used)) / 100n;
  if (plan === "void") {
    await store.change(() => store.put(voidHold(store.hold(id), { by: "gate" }, 1), "failed"));
    return;
  }
  store.truth.set(id, spent);
  if (plan === "die after the tool ran") return;
  const actual = path.map((pot) => ({ pot, amount: spent }));
  const report = () => store.change(() => store.put(settle(store.hold(id), actual, 2), "succeeded"));
  // A report that is delivered twice, at the same time.
  await (plan === "settle twice" ? Promise.all([report(), report()]) : report());
}

/** Deadlines pass while others still work: nothing that may have run is released; who still waits is expired with its hold. */
async function sweep(store: ModelStore): Promise<void> {
  for (const id of [...store.holds.keys()]) {
    await store.change(() => {
      const state = store.calls.get(id) === "pending" ? "expired" : (store.calls.get(id) ?? "unknown");
      return store.put(expireHold(store.hold(id), state, DEADLINE), state);
    });
  }
}

/** After the crash: a person looks up what the tool did. */
async function reconcile(store: ModelStore): Promise<void> {
  for (const [id, hold] of store.holds) {
    if (hold.state !== "held") continue;
    const spent = store.truth.get(id);
    await store.change(() => {
      if (spent === undefined)
        return store.put(voidHold(store.hold(id), { by: "lookup", reference: "none" }, 20), "failed");
      return store.put(
        settle(
          store.hold(id),
          hold.parts.map(({ pot }) => ({ pot, amount: spent })),
          20,
        ),
        "succeeded",
      );
    });
  }
}

describe("budgets under any schedule of reserve, settle, void, expire and crash", () => {
  it("overspend 0, leaked holds 0, phantom spend 0 in 1,000 schedules; a counter booked after the call overspends in them [B4~] (trap 19)", async () => {
    let naiveOverspent = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(job, { minLength: 6, maxLength: 10 }), async (scheduler, jobs) => {
        const store = new ModelStore(() => scheduler.schedule(Promise.resolve()));
        const naive = { spent: 0n };
        const all = Promise.all([
          ...jobs.map((one, at) => work(store, `c${at}`, one)),
          sweep(store),
          ...jobs.map((one) => naiveWork(naive, one, store.turn)),
        ]);
        await scheduler.waitFor(all);
        await scheduler.waitFor(sweep(store));
        const before = audit(store.pots, [...store.holds.values()], store.calls);
        expect(before).toEqual([]);
        await scheduler.waitFor(reconcile(store));

        for (const [pot, limit] of Object.entries(LIMITS)) {
          expect((store.peak.get(pot) ?? 0n) <= limit).toBe(true);
        }
        const holds = [...store.holds.values()];
        expect(audit(store.pots, holds, store.calls)).toEqual([]);
        expect(holds.filter(({ state }) => state === "held")).toEqual([]);
        for (const { id, held, spent } of store.pots) {
          let really = 0n;
          for (const hold of holds) {
            if (hold.parts.some((part) => part.pot === id)) really += store.truth.get(hold.call) ?? 0n;
          }
          expect([held, spent]).toEqual([0n, really]);
        }
        if (naive.spent > LIMITS.tenant) naiveOverspent++;
        refused += jobs.length - holds.length;
      }),
      { numRuns: 1_000 },
    );
    // The harness can tell: the same schedules break the counter, and the limits were reached.
    expect(naiveOverspent).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(1_000);
  });
});

/** Looks at the counter, runs, books: what most limits do. */
async function naiveWork(counter: { spent: bigint }, { amount }: Job, turn: Turn): Promise<void> {
  await turn();
  if (counter.spent + BigInt(amount) > LIMITS.tenant) return;
  await turn();
  counter.spent += BigInt(amount);
}
