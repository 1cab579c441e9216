import {
  type Actor,
  type BudgetClaim,
  breakerRowId,
  type CommitResult,
  canonicalJson,
  decodeHold,
  decodePot,
  type Hold,
  LOOP_DEFAULTS,
  type LoopSettings,
  liftStops,
  type Motion,
  type Outbox,
  type PolicySet,
  type Store,
  stopCalls,
  type ToolTraits,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { nodeRandom } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { byAmount, decision, type Judge, type World, world } from "./world.ts";

const ADMIN: Actor = { id: "ann", kind: "person", roles: ["admin"] };
const SECOND: Actor = { id: "bob", kind: "person", roles: ["admin"] };

interface Given {
  readonly judge?: Judge;
  readonly traits?: ToolTraits;
  readonly detectors?: Partial<LoopSettings>;
  readonly budgets?: readonly Partial<BudgetClaim>[];
  readonly observes?: boolean;
  readonly tool?: (args: unknown) => unknown;
  readonly outbox?: Outbox;
  readonly store?: Store;
}

function given({
  judge = () => decision("allow"),
  traits,
  detectors,
  budgets = [],
  observes = false,
  tool,
  outbox,
  store,
}: Given): World {
  const policies: PolicySet = {
    revision: "r1",
    evaluate: judge,
    explain: judge,
    kind: () => traits?.kind ?? "write",
    declares: () => true,
    boundPaths: () => [],
    bound: (_tool, args) => args,
    ...WITHOUT_LIMITS,
    observes: () => observes,
    traits: () => traits ?? { kind: "write" },
    detectors: () => ({ ...LOOP_DEFAULTS, ...detectors }),
    budgets: (call) => budgets.map((change) => budget(Number(call.args.amount), change)),
  };
  return world({
    policies: () => policies,
    ...(tool === undefined ? {} : { tool }),
    ...(outbox === undefined ? {} : { outbox }),
    ...(store === undefined ? {} : { store }),
  });
}

function budget(amount: number, change: Partial<BudgetClaim>): BudgetClaim {
  const pause = { id: "budget:refunds", digest: "b1", reason: "over the budget", approval: WITHOUT_LIMITS.approval };
  const known = Number.isSafeInteger(amount) && amount >= 0;
  return {
    budget: "refunds",
    digest: "b1",
    unit: "usd_cents",
    key: [],
    window: { kind: "ever" },
    limit: 100n,
    over: "deny",
    amount: known ? BigInt(amount) : null,
    pause,
    span: { file: "p.yaml", line: 1, column: 1 },
    ...change,
  };
}

async function pot(store: Store) {
  const [row] = await store.rows({ kind: "pot", limit: 10 });
  if (row === undefined) throw new Error("no pot");
  const { held, spent, limit, raised } = decodePot(row.value);
  return { held, spent, limit, raised };
}

async function holds(store: Store): Promise<Hold["state"][]> {
  return (await store.rows({ kind: "hold", limit: 1_000 })).map((row) => decodeHold(row.value).state);
}

async function act(store: Store, motion: Motion): Promise<CommitResult> {
  return store.commit({ entries: [], protection: { motions: [motion], accounted: "" } });
}

const stopOf = (change: Partial<Extract<Motion, { type: "stop" }>["scope"]>, id = "stop_1"): Motion => {
  const scope = { agent: null, tool: null, run: null, ...change };
  return { type: "stop", id, scope, reason: "an incident", by: ADMIN };
};

describe("budgets at the gate (trap 19)", () => {
  it("[B3~] hold before the call, settle what it used, and refuse what does not fit", async () => {
    const w = given({ budgets: [{ actual: (result) => BigInt(Number(result)) }], tool: () => 25 });
    expect((await w.call({ amount: 40 })).status).toBe("ran");
    expect(await pot(w.store)).toMatchObject({ held: 0n, spent: 25n });
    const over = await w.call({ amount: 76 });
    expect(over).toMatchObject({ status: "denied", denial: { rules: ["budget:refunds"] } });
    expect((await w.call({ amount: 75, other: 1 })).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 40 }, { amount: 75, other: 1 }]);
    expect(await pot(w.store)).toMatchObject({ held: 0n, spent: 50n });
  });

  it("[B4~] are exact when many calls come at once", async () => {
    const w = given({ budgets: [{}], detectors: { duplicate: { mode: "observe", over: "pause" } } });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => w.call({ amount: 7, n })));
    expect(answers.filter(({ status }) => status === "ran")).toHaveLength(14);
    expect(w.ran).toHaveLength(14);
    expect(await pot(w.store)).toMatchObject({ held: 0n, spent: 98n });
  });

  it.each([[{ amount: -1 }], [{ amount: 1.5 }], [{}], [{ amount: "1,000" }], [{ amount: null }]])(
    "%j cannot be reckoned: denied even where the budget would ask",
    async (args) => {
      const w = given({
        budgets: [{ over: "pause", ...("amount" in args && args.amount === null ? { amount: null } : {}) }],
      });
      expect(await w.call(args)).toMatchObject({ status: "denied", denial: { rules: ["budget:refunds"] } });
      expect(w.ran).toEqual([]);
    },
  );

  it("a calendar window without a clock for its zone denies", async () => {
    const w = given({ budgets: [{ window: { kind: "calendar", unit: "day", zone: "Europe/Zurich" } }] });
    expect(await w.call({ amount: 1 })).toMatchObject({ denial: { rules: ["budget:refunds"] } });
    expect(w.ran).toEqual([]);
  });

  it("a tool that surely did nothing gives the money back, one of which nobody knows keeps it", async () => {
    const broken = () => {
      throw new Error("broken");
    };
    const read = given({ budgets: [{}], traits: { kind: "read" }, tool: broken });
    expect((await read.call({ amount: 40 })).status).toBe("threw");
    expect(await pot(read.store)).toMatchObject({ held: 0n, spent: 0n });
    const write = given({ budgets: [{}], tool: broken });
    expect((await write.call({ amount: 40 })).status).toBe("threw");
    expect(await pot(write.store)).toMatchObject({ held: 40n, spent: 0n });
    expect(await holds(write.store)).toEqual(["held"]);
  });

  it("a tool that used more than it held is booked in full, and the record says so", async () => {
    const w = given({ budgets: [{ actual: () => 90n }] });
    expect((await w.call({ amount: 40 })).status).toBe("ran");
    expect(await pot(w.store)).toMatchObject({ held: 0n, spent: 90n });
    expect(await w.log()).toContain("budget.exceeded");
  });

  it("marks at 50, 80 and 100 % are recorded once each", async () => {
    const w = given({ budgets: [{}] });
    for (const amount of [30, 30, 10, 15, 15]) await w.call({ amount, n: Math.random() });
    expect((await w.log()).filter((type) => type === "budget.marked")).toHaveLength(3);
  });

  it.each(["deny", "expire", "abort"] as const)("what waits holds its part, and %s gives it back", async (end) => {
    const w = given({ budgets: [{ amount: 60n }], judge: byAmount });
    const caller = new AbortController();
    const waiting = w.call({ amount: 500 }, { signal: caller.signal });
    await until(() => w.paused.length === 1);
    expect(await pot(w.store)).toMatchObject({ held: 60n });
    if (end === "deny") await w.decide("deny");
    if (end === "abort") caller.abort();
    expect((await waiting).status).toBe("denied");
    expect(w.ran).toEqual([]);
    expect(await pot(w.store)).toMatchObject({ held: 0n, spent: 0n });
    expect(await holds(w.store)).toEqual(["void"]);
  });

  it("[A3~] an edit is held anew: less gives room back, more than there is asks again", async () => {
    const w = given({
      judge: (call) => decision(Number(call.args.amount) > 5 ? "pause" : "allow"),
      budgets: [{ over: "pause" }],
    });
    const waiting = w.call({ amount: 60 });
    await until(() => w.paused.length === 1);
    expect(await pot(w.store)).toMatchObject({ held: 60n });
    await w.decide("approve", { amount: 20 });
    expect((await waiting).status).toBe("ran");
    expect(await pot(w.store)).toMatchObject({ held: 0n, spent: 20n });
    expect(w.ran).toEqual([{ amount: 20 }]);

    const second = w.call({ amount: 70 });
    await until(() => w.paused.length === 2);
    await w.decide("approve", { amount: 90 });
    await until(() => w.paused.length === 3);
    expect(w.paused[2]?.reasons.map(({ id }) => id).sort()).toEqual(["budget:refunds", "pause"]);
    await w.decide("approve");
    expect((await second).status).toBe("ran");
    expect(await pot(w.store)).toMatchObject({ spent: 110n, limit: 100n, raised: 10n });
  });

  it("in an observed environment are counted and stop nothing", async () => {
    const w = given({ budgets: [{}], observes: true });
    expect((await w.call({ amount: 400 })).status).toBe("ran");
    expect(await pot(w.store)).toMatchObject({ spent: 400n });
    expect(w.ran).toHaveLength(1);
    // The record names the budget that would have refused it.
    const entries = await w.store.entries({ from: 0, limit: 99 });
    const parts = entries.flatMap(({ parts }) => parts.filter(({ name }) => name === "decision"));
    const decisions = parts.map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes ?? undefined)));
    expect(decisions[0].decision).toMatchObject({
      verdict: "allow",
      would: { verdict: "deny", by: ["budget:refunds"] },
    });
  });
});

describe("loops at the gate", () => {
  it("[B1~] the same call with the same result is refused, then its run is stopped until a person resets it", async () => {
    const w = given({ traits: { kind: "read" } });
    for (let n = 0; n < 3; n++) expect((await w.call({ q: "x" })).status).toBe("ran");
    const refused = await w.call({ q: "x" });
    expect(refused).toMatchObject({ status: "denied", denial: { rules: ["breaker:repeat"] } });
    expect((await w.call({ q: "x" })).status).toBe("denied");
    expect(await w.call({ q: "other" })).toMatchObject({ denial: { rules: ["breaker:run"] } });
    expect(w.ran).toHaveLength(3);
    expect(await w.log()).toContain("breaker.stopped");

    const id = breakerRowId("run", "prod", w.run.root);
    const reset = (by: Actor, reason: string): Motion => ({ type: "reset", breaker: id, reason, by });
    expect((await act(w.store, reset({ ...ADMIN, kind: "agent" }, "please"))).ok).toBe(false);
    expect((await act(w.store, reset({ ...ADMIN, roles: ["approver"] }, "please"))).ok).toBe(false);
    expect((await act(w.store, reset(ADMIN, " "))).ok).toBe(false);
    expect((await w.call({ q: "other" })).status).toBe("denied");
    // The reset changes a breaker, which its transaction must account for.
    const wants = await act(w.store, reset(ADMIN, "looked at it"));
    expect(wants).toMatchObject({ ok: false, objection: { changes: [{ to: "closed" }] } });
  });

  it("paging and a poll within what was declared are no loops", async () => {
    let page = 0;
    const pages = given({ traits: { kind: "read", paginate: "cursor" }, tool: () => ({ rows: [page++] }) });
    for (let n = 0; n < 60; n++) expect((await pages.call({ q: "x", cursor: n })).status).toBe("ran");
    const poll = given({ traits: { kind: "read", poll: { everyMs: 1_000, forMs: 600_000 } }, tool: () => "pending" });
    for (let n = 0; n < 60; n++) {
      poll.clock.time += 1_000;
      expect((await poll.call({ job: 1 })).status).toBe("ran");
    }
  });

  it("a storm of denials stops the run", async () => {
    const w = given({ judge: (call) => (call.args.ok === true ? decision("allow") : decision("deny", "no")) });
    for (let n = 0; n < 3; n++) expect((await w.call({ n })).status).toBe("denied");
    expect(await w.call({ ok: true })).toMatchObject({ status: "denied", denial: { rules: ["breaker:run"] } });
    expect(w.ran).toEqual([]);
  });

  it("a business act that was done asks; approving it runs it once more, and the next one asks again", async () => {
    const w = given({ traits: { kind: "write", identity: ["order"] } });
    expect((await w.call({ order: "A1", note: 1 })).status).toBe("ran");
    const again = w.call({ order: "A1", note: 2 });
    await until(() => w.paused.length === 1);
    expect(w.paused[0]?.reasons.map(({ id }) => id)).toEqual(["breaker:duplicate"]);
    await w.decide("approve");
    expect((await again).status).toBe("ran");
    const third = w.call({ order: "A1", note: 3 });
    await until(() => w.paused.length === 2);
    await w.decide("deny");
    expect((await third).status).toBe("denied");
    expect(w.ran).toHaveLength(2);
  });

  it("the same act in another run of the agent is known, also while it is under way", async () => {
    let release = (): void => undefined;
    const slow = new Promise<string>((resolve) => {
      release = () => resolve("done");
    });
    const w = given({ traits: { kind: "write", identity: ["order"] }, tool: () => slow });
    const first = w.call({ order: "A1" });
    await until(() => w.ran.length === 1);
    const other = w.gate.openRun({ agent: "bot", environment: "prod" });
    const second = w.gate.call(other, { tool: "refund", args: { order: "A1" } }, () => w.ran.push({ second: true }));
    await until(() => w.paused.length === 1);
    release();
    await first;
    await w.decide("deny");
    expect((await second).status).toBe("denied");
    expect(w.ran).toHaveLength(1);
  });

  it("[B9~] a sub-agent of another run id shares its root's history and pots", async () => {
    const w = given({ traits: { kind: "read" }, budgets: [{ window: { kind: "run" }, amount: 30n }] });
    const child = w.gate.openRun({ agent: "helper", environment: "prod", parent: w.run });
    for (let n = 0; n < 3; n++) expect((await w.call({ q: "x" })).status).toBe("ran");
    const looped = await w.gate.call(child, { tool: "refund", args: { q: "x" } }, () => w.ran.push({}));
    expect(looped).toMatchObject({ denial: { rules: ["breaker:repeat"] } });
    const dear = await w.gate.call(child, { tool: "refund", args: { q: "new" } }, () => w.ran.push({}));
    expect(dear).toMatchObject({ denial: { rules: ["budget:refunds"] } });
    expect(w.ran).toHaveLength(3);
  });

  it("[B8~] observed detectors say what they would have done, and stop nothing", async () => {
    const observed = Object.entries(LOOP_DEFAULTS).map(([name, of]) => [name, { ...of, mode: "observe" }]);
    const detectors = Object.fromEntries(observed) as LoopSettings;
    const w = given({ traits: { kind: "read" }, detectors });
    for (let n = 0; n < 30; n++) expect((await w.call({ q: "x" })).status).toBe("ran");
    const entries = await w.store.entries({ from: 0, limit: 1_000 });
    const text = entries.flatMap(({ parts }) => parts.map(({ bytes }) => new TextDecoder().decode(bytes ?? undefined)));
    expect(text.some((part) => part.includes('"would"') && part.includes("breaker:repeat"))).toBe(true);
  });

  it("an annotation lets the call run and is told beside its result", async () => {
    const repeat = { ...LOOP_DEFAULTS.repeat, over: "annotate" } as const;
    const w = given({ traits: { kind: "read" }, detectors: { repeat } });
    for (let n = 0; n < 3; n++) await w.call({ q: "x" });
    const fourth = await w.call({ q: "x" });
    expect(fourth.status === "ran" && fourth.permit.notes.join()).toContain("breaker:repeat");
  });
});

describe("health at the gate", () => {
  it("[B5] opens on five failures of the tool, lets one probe of all gates through, and closes when that works", async () => {
    let works = false;
    const down = () => {
      if (works) return "ok";
      throw Object.assign(new Error("unavailable"), { status: 503 });
    };
    const w = given({ traits: { kind: "read" }, tool: down });
    for (let n = 0; n < 5; n++) expect((await w.call({ n })).status).toBe("threw");
    expect(await w.call({ n: 6 })).toMatchObject({ status: "denied", denial: { rules: ["breaker:tool"] } });
    expect(w.ran).toHaveLength(5);
    w.clock.time += 60_000;
    works = true;
    const other = given({ traits: { kind: "read" }, tool: down, store: w.store });
    const asks = [w.call({ n: 7 }), w.call({ n: 8 }), other.call({ n: 9 }), other.call({ n: 9 })];
    const probes = await Promise.all(asks);
    expect(probes.map(({ status }) => status).sort()).toEqual(["denied", "denied", "denied", "ran"]);
    expect(w.ran.length + other.ran.length).toBe(6);
    expect((await w.call({ n: 10 })).status).toBe("ran");
    expect(await w.log()).toEqual(expect.arrayContaining(["breaker.open", "breaker.half_open", "breaker.closed"]));
  });

  it("errors that say nothing about the tool, and denials, do not open it", async () => {
    const refuses = () => {
      throw Object.assign(new Error("no such order"), { status: 404 });
    };
    const w = given({
      traits: { kind: "read" },
      tool: refuses,
      detectors: { errors: { ...LOOP_DEFAULTS.errors, streak: 99, trip: 99 } },
    });
    for (let n = 0; n < 8; n++) expect((await w.call({ n })).status).toBe("threw");
  });
});

describe("the stop switch at the gate [B6~]", () => {
  it.each([
    ["everything", {}, true],
    ["this agent", { agent: "bot" }, true],
    ["this tool", { tool: "refund" }, true],
    ["another agent", { agent: "other" }, false],
    ["another tool", { tool: "mail" }, false],
    ["this agent's other tool", { agent: "bot", tool: "mail" }, false],
  ] as const)("of %s", async (_what, scope, stops) => {
    const w = given({});
    expect((await act(w.store, stopOf(scope))).ok).toBe(true);
    expect((await w.call({ n: 1 })).status).toBe(stops ? "denied" : "ran");
    expect(w.ran).toHaveLength(stops ? 0 : 1);
  });

  it("of the root reaches its sub-agents, reads as well as writes", async () => {
    const w = given({ traits: { kind: "read" } });
    await act(w.store, stopOf({ run: w.run.id }));
    const child = w.gate.openRun({ agent: "helper", environment: "prod", parent: w.run });
    const answer = await w.gate.call(child, { tool: "look", args: {} }, () => w.ran.push({}));
    expect(answer).toMatchObject({ status: "denied", denial: { rules: ["stop:run"] } });
    expect(w.ran).toEqual([]);
  });

  it("wins over an approval that was given before", async () => {
    const w = given({ judge: () => decision("pause") });
    const waiting = w.call({ amount: 500 });
    await until(() => w.paused.length === 1);
    await act(w.store, stopOf({}));
    await w.decide("approve");
    expect(await waiting).toMatchObject({ status: "denied" });
    expect(w.ran).toEqual([]);
  });

  it("suspends the questions that it concerns: nobody can answer them until it is lifted, and then they are asked again", async () => {
    const w = given({ judge: () => decision("pause") });
    const waiting = w.call({ amount: 500 });
    await until(() => w.paused.length === 1);
    const ports = { store: w.store, clock: w.clock, random: nodeRandom };
    const scope = { agent: "bot", tool: null, run: null };
    const { id = "" } = (await stopCalls(ports, { scope, reason: "an incident", by: ADMIN })) as { id?: string };
    expect((await w.decide("approve")).status).toBe("refused");
    expect((await w.store.approvals({ limit: 1 }))[0]?.state).toBe("suspended");
    expect(await liftStops(ports, { id, reason: "over", by: ADMIN })).toEqual({ ok: true, lifted: true });
    await until(() => w.paused.length === 2);
    await w.decide("approve");
    expect((await waiting).status).toBe("ran");
    expect(w.ran).toHaveLength(1);
  });

  it("is lifted by admins with reasons only, of everything by two of them", async () => {
    const w = given({});
    await act(w.store, stopOf({}));
    const lift = (by: Actor, reason = "over"): Motion => ({ type: "lift", id: "stop_1", reason, by });
    expect((await act(w.store, lift({ ...ADMIN, kind: "service" }))).ok).toBe(false);
    expect((await act(w.store, lift({ ...ADMIN, roles: ["approver"] }))).ok).toBe(false);
    expect((await act(w.store, lift(ADMIN, ""))).ok).toBe(false);
    expect((await act(w.store, lift(ADMIN))).ok).toBe(true);
    expect((await act(w.store, lift(ADMIN))).ok).toBe(false);
    expect((await w.call({ n: 1 })).status).toBe("denied");
    expect((await act(w.store, lift(SECOND))).ok).toBe(true);
    expect((await w.call({ n: 2 })).status).toBe("ran");
  });
});

it("the time that a person takes is not the run's: a late answer trips no cap", async () => {
  const caps = { ...LOOP_DEFAULTS.caps, minutes: 1 };
  const w = given({ judge: byAmount, detectors: { caps } });
  const waiting = w.call({ amount: 500 });
  await until(() => w.paused.length === 1);
  w.clock.time += 50_000;
  await w.decide("approve");
  expect((await waiting).status).toBe("ran");
  w.clock.time += 40_000;
  expect((await w.call({ amount: 1 })).status).toBe("ran");
  w.clock.time += 40_000;
  expect(await w.call({ amount: 2 })).toMatchObject({ status: "denied", denial: { rules: ["breaker:caps"] } });
});

describe("what has to be told", () => {
  const told = (about: string) => ({ kind: "outbox", id: about, version: 1, due: 0, value: { about } }) as const;
  const outbox: Outbox = {
    asked: (approval) => [told(`asked ${approval.id}`)],
    alarmed: ({ changes }, id) => [told(`${id} ${changes.map(({ to }) => to).join()}`)],
  };
  const rows = async ({ store }: World) => (await store.rows({ kind: "outbox", limit: 10 })).map(({ id }) => id);

  it("[B7~] stands in the transaction of the question or the trip, whether anybody hears of it or not", async () => {
    const asked = given({ judge: byAmount, outbox });
    const waiting = asked.call({ amount: 500 });
    await until(() => asked.paused.length === 1);
    expect(await rows(asked)).toEqual([`asked ${asked.paused[0]?.id}`]);
    await asked.decide("deny");
    await waiting;
    const tripped = given({ traits: { kind: "read" }, outbox });
    for (let n = 0; n < 5; n++) await tripped.call({ q: "x" });
    expect(await rows(tripped)).toEqual([expect.stringMatching(/^alarm_\w+ stopped$/)]);
  });

  it("and what cannot be stored with it is neither asked nor tripped: the tool does not run", async () => {
    const clash: Outbox = { asked: () => [told("the same"), told("the same")], alarmed: () => [] };
    const w = given({ judge: byAmount, outbox: clash });
    expect((await w.call({ amount: 500 })).status).toBe("denied");
    expect(w.paused).toEqual([]);
    expect(w.ran).toEqual([]);
  });
});

it("ids of breakers cannot be forged by names", () => {
  expect(breakerRowId("tool", "prod", '","x')).toBe(canonicalJson(["tool", "prod", '","x']));
});

async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; turns < 1_000 && !holds(); turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(holds()).toBe(true);
}
