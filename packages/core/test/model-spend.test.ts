/** What a call of a model may cost is held before it is made, and what it cost is booked after: exactly, and once. */
import {
  type Actor,
  audit,
  bookLostModels,
  decodeHold,
  decodePot,
  type Gate,
  LIMITS,
  LOOP_DEFAULTS,
  type LoopSettings,
  type ModelBound,
  type ModelBudgetClaim,
  type ModelTicket,
  type PolicySet,
  type Run,
  type RunRow,
  SafeRunError,
  type Store,
  stopCalls,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { createMemoryStore, nodeRandom } from "@saferun/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byAmount, headerOf, VirtualClock, type World, world } from "./world.ts";

const ADMIN: Actor = { id: "ann", kind: "person", roles: ["admin"] };

interface Given {
  readonly budgets?: readonly Partial<ModelBudgetClaim>[];
  readonly caps?: Partial<LoopSettings["caps"]>;
  readonly observes?: boolean;
  readonly store?: Store;
  readonly clock?: VirtualClock;
}

function given({ budgets = [{}], caps = {}, observes = false, ...places }: Given = {}): World {
  const policies: PolicySet = {
    revision: "r1",
    evaluate: byAmount,
    explain: byAmount,
    kind: () => "write",
    declares: () => true,
    boundPaths: () => [],
    bound: (_tool, args) => args,
    ...WITHOUT_LIMITS,
    observes: () => observes,
    detectors: () => ({ ...LOOP_DEFAULTS, caps: { ...LOOP_DEFAULTS.caps, ...caps } }),
    modelBudgets: (_model, _context, bound) => budgets.map((change) => claim(bound, change)),
  };
  return world({ policies: () => policies, ...places });
}

function claim({ usdMicros, tokens }: ModelBound, change: Partial<ModelBudgetClaim>): ModelBudgetClaim {
  const counts = change.counts ?? "usd";
  const pause = { id: "budget:spend", digest: "b1", reason: "over the budget", approval: WITHOUT_LIMITS.approval };
  return {
    budget: "spend",
    digest: "b1",
    unit: counts === "usd" ? "usd_micros" : counts,
    key: [],
    window: { kind: "ever" },
    limit: 100n,
    over: "deny",
    amount: counts === "usd" ? usdMicros : counts === "tokens" ? tokens : 1n,
    pause,
    span: { file: "p.yaml", line: 1, column: 1 },
    counts,
    ...change,
  };
}

const ASKED = { model: "acme:m", messages: [], settings: {}, prices: "test/1" } as const;
const bound = (usdMicros: bigint | null, tokens: bigint | null = 10n): ModelBound => ({ usdMicros, tokens });

function ask({ gate, run }: { readonly gate: Gate; readonly run: Run }, usdMicros: bigint | null, of = run) {
  return gate.model.request(of, { ...ASKED, bound: bound(usdMicros, usdMicros) });
}

async function refusedBy(asked: Promise<unknown>): Promise<readonly [string, unknown]> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SafeRunError)) throw new Error(`not refused: ${String(error)}`);
  return [error.code, error.details.rules];
}

async function pots(store: Store) {
  const rows = await store.rows({ kind: "pot", limit: 10 });
  return rows.map(({ value }) => {
    const { held, spent } = decodePot(value);
    return [held, spent];
  });
}

async function ofRun({ store, run }: World) {
  const row = await store.row("run", run.root);
  return (row?.value as object as { usd: { held: string; spent: string } } | undefined)?.usd satisfies
    | Record<keyof RunRow["usd"], string>
    | undefined;
}

async function spends(store: Store): Promise<readonly unknown[]> {
  const entries = await store.entries({ from: 0, limit: 1_000 });
  return entries.flatMap((entry) =>
    entry.parts
      .filter(({ name }) => name === "spend")
      .map(({ bytes }) => ({
        type: headerOf(entry).type,
        ...JSON.parse(new TextDecoder().decode(bytes ?? undefined)),
      })),
  );
}

describe("a call of a model [B2~]", () => {
  it("holds its bound, and books what it used", async () => {
    const at = given();
    const ticket = await ask(at, 60n);
    expect(await pots(at.store)).toEqual([[60n, 0n]]);
    expect(await ofRun(at)).toEqual({ held: "60", spent: "0" });
    await at.gate.model.response(at.run, ticket, { text: "hi" }, bound(25n, 7n));
    expect(await pots(at.store)).toEqual([[0n, 25n]]);
    expect(await ofRun(at)).toEqual({ held: "0", spent: "25" });
    expect(await spends(at.store)).toEqual([
      expect.objectContaining({ type: "model.requested", usd_micros: "60", tokens: "60", prices: "test/1" }),
      expect.objectContaining({ type: "model.responded", usd_micros: "25", tokens: "7", estimate: false }),
    ]);
  });

  it("without room is refused, on record, and holds nothing", async () => {
    const at = given();
    await ask(at, 60n);
    expect(await refusedBy(ask(at, 41n))).toEqual(["budget.exhausted", ["budget:spend"]]);
    await expect(ask(at, 41n)).rejects.toThrow("no room for this call; at most it costs 0.000041 dollars; a smaller");
    expect(await pots(at.store)).toEqual([[60n, 0n]]);
    const refused = (await at.store.entries({ from: 0, limit: 99 })).find(
      (entry) => headerOf(entry).type === "model.refused",
    );
    expect(refused && headerOf(refused)).toMatchObject({ verdict: "deny", rules: ["budget:spend"], revision: "r1" });
    await ask(at, 40n);
  });

  it("takes all of its budgets or none", async () => {
    const at = given({ budgets: [{}, { budget: "few", counts: "tokens", limit: 50n }] });
    expect(await refusedBy(ask(at, 60n))).toEqual(["budget.exhausted", ["budget:few"]]);
    expect((await pots(at.store)).flat()).toEqual([]);
    const ticket = await ask(at, 40n);
    await at.gate.model.response(at.run, ticket, {}, bound(30n, 20n));
    expect((await pots(at.store)).flat()).toEqual([0n, 20n, 0n, 30n]);
  });

  it("that a budget would ask about is refused, because nobody can be asked, and the text says so", async () => {
    const at = given({ budgets: [{ over: "pause" }] });
    await expect(ask(at, 101n)).rejects.toThrow(/nobody can be asked/);
    expect(at.paused).toEqual([]);
    const unpriced = given({ budgets: [{ unpriced: "pause" }] });
    await expect(ask(unpriced, null)).rejects.toThrow(/nobody can be asked/);
  });

  it("without a price is refused, unless the policy lets it pass, and then counts after it (trap 19)", async () => {
    const silent = given();
    expect(await refusedBy(ask(silent, null))).toEqual(["budget.exhausted", ["budget:spend"]]);
    const open = given({ budgets: [{ unpriced: "allow" }] });
    const ticket = await ask(open, null);
    await open.gate.model.response(open.run, ticket, {}, bound(100n, 1n));
    expect(await pots(open.store)).toEqual([[0n, 100n]]);
    expect(await open.log()).not.toContain("budget.exceeded");
    // What never counts as nothing has no room in a budget that is used up.
    expect(await refusedBy(ask(open, null))).toEqual(["budget.exhausted", ["budget:spend"]]);
  });

  it("books its estimate where nobody says what it used, and says that it is one", async () => {
    const at = given();
    await at.gate.model.response(at.run, await ask(at, 30n), { cutOff: "half" }, null);
    await at.gate.model.failure(at.run, await ask(at, 20n), new Error("socket hang up"));
    expect(await pots(at.store)).toEqual([[0n, 50n]]);
    expect((await spends(at.store)).filter((one) => (one as { estimate?: boolean }).estimate === true)).toHaveLength(2);
  });

  it("gives back what it held where it surely never ran", async () => {
    const at = given();
    await at.gate.model.failure(at.run, await ask(at, 100n), new Error("connection refused"), false);
    expect(await pots(at.store)).toEqual([[0n, 0n]]);
    expect(await ofRun(at)).toEqual({ held: "0", spent: "0" });
    await ask(at, 100n);
  });

  it("that used more than it held is booked whole, and alarmed", async () => {
    const at = given();
    await at.gate.model.response(at.run, await ask(at, 10n), {}, bound(500n));
    expect(await pots(at.store)).toEqual([[0n, 500n]]);
    expect(await at.log()).toContain("budget.exceeded");
    expect(await refusedBy(ask(at, 1n))).toEqual(["budget.exhausted", ["budget:spend"]]);
  });

  it("ends once", async () => {
    const at = given();
    const ticket = await ask(at, 10n);
    await at.gate.model.response(at.run, ticket, {}, bound(5n));
    await expect(at.gate.model.failure(at.run, ticket, "late")).rejects.toThrow("ends once");
    expect(await pots(at.store)).toEqual([[0n, 5n]]);
  });

  it("is refused by a stop, and by a run that is stopped", async () => {
    const at = given();
    const ports = { store: at.store, clock: at.clock, random: nodeRandom };
    const scope = { agent: "bot", tool: null, run: null };
    await stopCalls(ports, { scope, reason: "incident", by: ADMIN });
    expect(await refusedBy(ask(at, 1n))).toEqual(["breaker.open", ["stop:agent"]]);
  });

  it("only observed is let through, booked and noted", async () => {
    const at = given({ observes: true, budgets: [{}, { budget: "unknown", amount: null }] });
    await at.gate.model.response(at.run, await ask(at, 150n), {}, bound(120n));
    expect(await pots(at.store)).toEqual([[0n, 120n]]);
    const entries = await at.store.entries({ from: 0, limit: 99 });
    const noted = entries.flatMap(({ parts }) => parts).find(({ name }) => name === "decision");
    expect(JSON.parse(new TextDecoder().decode(noted?.bytes ?? undefined))).toMatchObject({
      verdict: "allow",
      would: { verdict: "deny", by: ["budget:spend", "budget:unknown"] },
    });
  });
});

describe("the cap of a run on models [B2~]", () => {
  it("of the default stops a run that has spent it, and no call that only might", async () => {
    const at = given({ budgets: [] });
    const [first, second] = [await ask(at, 4_000_000n), await ask(at, 4_000_000n)];
    await at.gate.model.response(at.run, first, {}, bound(3_000_000n));
    await at.gate.model.response(at.run, second, {}, bound(2_000_000n));
    expect(await refusedBy(ask(at, 1n))).toEqual(["breaker.open", ["breaker:caps"]]);
    expect(await refusedBy(ask(at, 1n))).toEqual(["breaker.open", ["breaker:run"]]);
    expect(await at.log()).toContain("breaker.stopped");
  });

  it("that a file names is held before the call, and refuses what nobody can price", async () => {
    const at = given({ budgets: [], caps: { usdMicros: 100n, usdHeld: true } });
    const ticket = await ask(at, 60n);
    expect(await refusedBy(ask(at, 41n))).toEqual(["budget.exhausted", ["breaker:caps"]]);
    expect(await refusedBy(ask(at, null))).toEqual(["budget.exhausted", ["breaker:caps"]]);
    await at.gate.model.response(at.run, ticket, {}, bound(10n));
    await ask(at, 90n);
  });

  it("is one for a run and its sub-agents", async () => {
    const at = given({ budgets: [], caps: { usdMicros: 100n, usdHeld: true } });
    const child = at.gate.openRun({ agent: "helper", environment: "prod", parent: at.run });
    await ask(at, 60n, child);
    expect(await refusedBy(ask(at, 60n))).toEqual(["budget.exhausted", ["breaker:caps"]]);
  });
});

describe("a call of a model whose process is gone [B2~]", () => {
  it("keeps its hold to its deadline, then is booked at its estimate, once", async () => {
    const clock = new VirtualClock();
    const store = createMemoryStore({ clock });
    const at = given({ store, clock });
    const ticket = await ask(at, 60n);
    const ports = { store, clock, random: nodeRandom };
    clock.time += LIMITS.modelHoldMs - 1;
    expect(await bookLostModels(ports)).toEqual([]);
    expect(await pots(store)).toEqual([[60n, 0n]]);
    clock.time += 1;
    const both = await Promise.all([bookLostModels(ports), bookLostModels(ports)]);
    expect(both.flat()).toEqual([ticket.id]);
    expect(await pots(store)).toEqual([[0n, 60n]]);
    expect(await ofRun(at)).toEqual({ held: "0", spent: "60" });
    expect((await at.log()).filter((type) => type === "model.lost")).toHaveLength(1);
    // An answer that comes after all is recorded, and books nothing a second time.
    await at.gate.model.response(at.run, ticket, {}, bound(5n));
    expect(await pots(store)).toEqual([[0n, 60n]]);
    expect((await store.rows({ kind: "hold", limit: 9 })).map(({ value }) => decodeHold(value).state)).toEqual([
      "settled",
    ]);
  });
});

type Act =
  | { readonly does: "ask"; readonly amount: number }
  | { readonly does: "answer"; readonly which: number; readonly percent: number | null }
  | { readonly does: "fail"; readonly which: number; readonly ran: boolean }
  | { readonly does: "lose" };

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("ask" as const), amount: fc.nat(60) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant("answer" as const),
      which: fc.nat(9),
      percent: fc.option(fc.nat(100), { nil: null }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("fail" as const), which: fc.nat(9), ran: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("lose" as const) }) },
);

describe("whatever happens to calls of models [B2~]", () => {
  it("what is spent and held stays within the limit, and is what was used", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 30 }), async (steps) => {
        const clock = new VirtualClock();
        const store = createMemoryStore({ clock });
        const at = given({ store, clock, caps: { usdMicros: 90n, usdHeld: true } });
        const open: { readonly ticket: ModelTicket; readonly amount: bigint }[] = [];
        let spent = 0n;
        for (const step of steps) {
          const held = open.reduce((sum, one) => sum + one.amount, 0n);
          const one = step.does === "ask" || step.does === "lose" ? undefined : open[step.which];
          if (one !== undefined) open.splice(open.indexOf(one), 1);
          switch (step.does) {
            case "ask": {
              const amount = BigInt(step.amount);
              const asked = ask(at, amount);
              if (spent < 90n && held + spent + amount <= 90n) open.push({ ticket: await asked, amount });
              else await expect(asked).rejects.toThrow("the model was not called");
              break;
            }
            case "answer": {
              if (one === undefined) break;
              const used = step.percent === null ? null : (one.amount * BigInt(step.percent)) / 100n;
              await at.gate.model.response(at.run, one.ticket, {}, used === null ? null : bound(used));
              spent += used ?? one.amount;
              break;
            }
            case "fail":
              if (one === undefined) break;
              await at.gate.model.failure(at.run, one.ticket, "no", step.ran);
              if (step.ran) spent += one.amount;
              break;
            case "lose":
              clock.time += LIMITS.modelHoldMs;
              expect(await bookLostModels({ store, clock, random: nodeRandom })).toHaveLength(open.length);
              spent += open.splice(0).reduce((sum, each) => sum + each.amount, 0n);
              break;
          }
          const left = open.reduce((sum, each) => sum + each.amount, 0n);
          expect((await pots(store))[0] ?? [0n, 0n]).toEqual([left, spent]);
          if (spent > 0n) expect(await ofRun(at)).toEqual({ held: String(left), spent: String(spent) });
        }
        const rows = await store.rows({ kind: "hold", limit: 99 });
        const all = (await store.rows({ kind: "pot", limit: 9 })).map(({ value }) => decodePot(value));
        expect(
          audit(
            all,
            rows.map(({ value }) => decodeHold(value)),
            new Map(),
          ),
        ).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
