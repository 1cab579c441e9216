/** Ways around what is limited, stopped or asked about, tried from the outside. */
import {
  type Actor,
  auditStore,
  type BudgetClaim,
  createGate,
  type Decision,
  decideApproval,
  decodeHold,
  decodePot,
  type Gate,
  LOOP_DEFAULTS,
  type LoopSettings,
  NOBODY,
  openHolds,
  type PolicySet,
  type StopScope,
  stopCalls,
  type ToolTraits,
  tidyState,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { nodeHash, nodeRandom } from "@saferun/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asked, decision, type Judge, type World, world } from "./world.ts";

const ADMIN: Actor = { id: "ann", kind: "person", roles: ["admin"] };
const HOUR = 3_600_000;

/** What is in force; a test may change it while calls wait. */
interface Rules {
  judge: Judge;
  limit: bigint;
  window: BudgetClaim["window"];
  over: "pause" | "deny";
  observes: boolean;
  traits: ToolTraits;
  detectors: Partial<LoopSettings>;
}

const TERMS = { ...decision("pause").pauses[0]?.approval, withinMs: 24 * HOUR };

function governed(change: Partial<Rules>, tool?: (args: { readonly [key: string]: unknown }) => unknown) {
  const rules: Rules = {
    judge: () => decision("allow"),
    limit: 100n,
    window: { kind: "ever" },
    over: "pause",
    observes: false,
    traits: { kind: "write" },
    detectors: { caps: { ...LOOP_DEFAULTS.caps, calls: null, minutes: null } },
    ...change,
  };
  const claim = (amount: bigint): BudgetClaim => ({
    budget: "b",
    digest: "b1",
    unit: "usd_cents",
    key: [],
    window: rules.window,
    limit: rules.limit,
    over: rules.over,
    amount,
    pause: { id: "budget:b", digest: "b1", reason: "over the budget", approval: WITHOUT_LIMITS.approval },
    span: { file: "p.yaml", line: 1, column: 1 },
  });
  const policies: PolicySet = {
    revision: "r1",
    evaluate: (call, context) => rules.judge(call, context),
    explain: (call, context) => rules.judge(call, context),
    kind: () => rules.traits.kind,
    declares: () => true,
    boundPaths: () => [],
    bound: (_tool, args) => args,
    ...WITHOUT_LIMITS,
    observes: () => rules.observes,
    traits: () => rules.traits,
    detectors: () => ({ ...LOOP_DEFAULTS, ...rules.detectors }),
    budgets: (call) => [claim(BigInt(Number(call.args.amount)))],
  };
  const w = world({ policies: () => policies, ...(tool === undefined ? {} : { tool }) });
  return { w, rules };
}

async function potOf(w: World) {
  const [row] = await w.store.rows({ kind: "pot", limit: 10 });
  if (row === undefined) throw new Error("no pot");
  return decodePot(row.value);
}

/** A question that waits for hours. */
function patient(verdict: "pause" | "allow" = "pause"): Decision {
  const made = decision(verdict);
  return { ...made, pauses: made.pauses.map((reason) => ({ ...reason, approval: { ...reason.approval, ...TERMS } })) };
}

function grantable(): Decision {
  const made = patient();
  const pauses = made.pauses.map((reason) => ({ ...reason, approval: { ...reason.approval, grantable: true } }));
  return { ...made, pauses };
}

const portsOf = (w: World) => ({ store: w.store, clock: w.clock, hash: nodeHash, random: nodeRandom });

describe("a shortage that a person approved (trap 19)", () => {
  it("is no higher limit of a sliding window for ever", async () => {
    const { w } = governed({ window: { kind: "sliding", ms: HOUR } });
    expect((await w.call({ amount: 100 })).status).toBe("ran");
    const over = w.call({ amount: 80 });
    await asked(w);
    await w.decide("approve");
    expect((await over).status).toBe("ran");
    w.clock.time += 2 * HOUR;
    expect((await w.call({ amount: 100, n: 1 })).status).toBe("ran");
    const next = w.call({ amount: 1, n: 2 }, { maxWaitMs: 0 });
    expect(await next).toMatchObject({ status: "denied", denial: { status: "pending", rules: ["budget:b"] } });
  });

  it("gives its room to that call alone: one that did nothing gives it back", async () => {
    const { w } = governed({ traits: { kind: "read" } }, ({ amount }) => {
      if (amount === 80) throw new Error("not found");
      return amount;
    });
    expect((await w.call({ amount: 100 })).status).toBe("ran");
    const over = w.call({ amount: 80 });
    await asked(w);
    await w.decide("approve");
    expect((await over).status).toBe("threw");
    const next = await w.call({ amount: 80, n: 1 }, { maxWaitMs: 0 });
    expect(next).toMatchObject({ denial: { status: "pending" } });
  });

  it("and what was only observed raise no limit that is enforced later", async () => {
    const { w, rules } = governed({ observes: true, window: { kind: "sliding", ms: HOUR } });
    expect((await w.call({ amount: 900 })).status).toBe("ran");
    rules.observes = false;
    w.clock.time += 2 * HOUR;
    const next = await w.call({ amount: 101, n: 1 }, { maxWaitMs: 0 });
    expect(next).toMatchObject({ denial: { rules: ["budget:b"] } });
  });
});

describe("a call that waited", () => {
  it("is counted in the sliding window in which it runs, not in the one that is over", async () => {
    const { w, rules } = governed({ judge: () => patient(), window: { kind: "sliding", ms: HOUR } });
    const late = w.call({ amount: 100 });
    const { id } = await asked(w);
    w.clock.time += 2 * HOUR;
    await decideApproval(portsOf(w), {
      approval: id,
      verdict: "approve",
      by: { id: "ann", via: "test", verified: true },
    });
    expect((await late).status).toBe("ran");
    rules.judge = () => decision("allow");
    const next = await w.call({ amount: 100, n: 1 }, { maxWaitMs: 0 });
    expect(next).toMatchObject({ denial: { rules: ["budget:b"] } });
  });

  it("is held against the limit that is in force when it runs", async () => {
    const { w, rules } = governed({ judge: () => patient() });
    const late = w.call({ amount: 100 });
    await asked(w);
    rules.limit = 50n;
    await w.decide("approve");
    const second = await asked(w, 2);
    expect(second.reasons.map(({ id }) => id)).toContain("budget:b");
    await w.decide("deny");
    expect((await late).status).toBe("denied");
    expect(w.ran).toEqual([]);
    expect(await potOf(w)).toMatchObject({ held: 0n, spent: 0n });
  });
});

describe("a clock that goes back", () => {
  it("moves nothing out of a sliding window before its time", async () => {
    const { w } = governed({ window: { kind: "sliding", ms: HOUR } });
    w.clock.time += 10 * HOUR;
    expect((await w.call({ amount: 1 })).status).toBe("ran");
    w.clock.time -= 0.9 * HOUR;
    expect((await w.call({ amount: 99 })).status).toBe("ran");
    w.clock.time += 1.5 * HOUR;
    expect(await w.call({ amount: 100 }, { maxWaitMs: 0 })).toMatchObject({ denial: { rules: ["budget:b"] } });
  });
});

describe("names and numbers that a model chooses", () => {
  it.each(["constructor", "toString", "__proto__", "hasOwnProperty"])("a tool called `%s` is a tool", async (tool) => {
    const { w } = governed({});
    expect(await w.call({ amount: 1 }, { tool })).toMatchObject({ status: "ran" });
    expect(await w.call({ amount: 1, n: 2 }, { tool })).toMatchObject({ status: "ran" });
  });
});

describe("a stop of everything", () => {
  it("is always possible, whatever was stopped before", async () => {
    const { w } = governed({});
    const ports = portsOf(w);
    const scope = (run: string | null): StopScope => ({ agent: null, tool: null, run });
    for (let n = 0; n < 1_000; n++) await stopCalls(ports, { scope: scope(`run_${n}`), reason: "noise", by: ADMIN });
    expect(await stopCalls(ports, { scope: scope("more"), reason: "noise", by: ADMIN })).toMatchObject({ ok: false });
    expect(await stopCalls(ports, { scope: scope(null), reason: "incident", by: ADMIN })).toMatchObject({ ok: true });
    expect(await stopCalls(ports, { scope: scope(null), reason: "again", by: ADMIN })).toMatchObject({ ok: false });
    expect(await w.call({ amount: 1 })).toMatchObject({ status: "denied", denial: { rules: ["stop:all"] } });
    expect(w.ran).toEqual([]);
  });

  it("holds back what a person approved for a run that goes on under another root", async () => {
    const { w } = governed({ judge: () => patient() });
    const parent = { root: "run_top", runs: ["run_top"], depth: 0 };
    const inner = w.gate.openRun({ id: "run_in", agent: "bot", environment: "prod", parent });
    const request = { tool: "refund", args: { amount: 1 }, key: "k", maxWaitMs: 0 };
    expect(await w.gate.admit(inner, request)).toMatchObject({ denial: { status: "pending" } });
    await w.decide("approve");
    const run = { agent: null, tool: null, run: "run_top" };
    expect(await stopCalls(portsOf(w), { scope: run, reason: "incident", by: ADMIN })).toMatchObject({ ok: true });
    // After a restart nobody knows its parent any more.
    const again = w.gate.openRun({ id: "run_in", agent: "bot", environment: "prod" });
    expect(await w.gate.admit(again, request)).toMatchObject({ admitted: false, denial: { rules: ["stop:run"] } });
  });
});

describe("what is forgotten", () => {
  it("goes also where many calls are left of which nobody knows the outcome", async () => {
    const { w } = governed({ limit: 10_000n, window: { kind: "fixed", ms: HOUR } });
    for (let n = 0; n < 501; n++) {
      const run = w.gate.openRun({ agent: `bot ${n}`, environment: "prod" });
      await w.gate.call(run, { tool: `t${n}`, args: { amount: 1, lost: true, n } }, () => {
        throw new Error("the line broke");
      });
    }
    expect((await w.call({ amount: 1 })).status).toBe("ran");
    w.clock.time += 70 * 24 * HOUR;
    await tidyState(w);
    // What those hold stays; what is over goes.
    const states = (await w.store.rows({ kind: "hold", limit: 1_000 })).map(({ value }) => decodeHold(value).state);
    expect(states).toEqual(Array(501).fill("held"));
  });

  it("is a grant and a denial whose time is over", async () => {
    const { w } = governed({ judge: () => grantable() });
    const by = { id: "ann", via: "test", verified: true };
    const ask = (n: number) => w.call({ amount: 1, n }, { maxWaitMs: 0 });
    const run = w.gate.openRun({
      agent: "bot",
      environment: "prod",
      principal: { ...NOBODY, id: "u1", kind: "person" },
    });
    await ask(1);
    const grant = { same: [], forMs: HOUR, count: 1 };
    await decideApproval(portsOf(w), { approval: (await asked(w)).id, verdict: "approve", by, grant });
    await w.gate.admit(run, { tool: "refund", args: { amount: 2 }, maxWaitMs: 0 });
    await decideApproval(portsOf(w), { approval: (await asked(w, 2)).id, verdict: "deny", by });
    const left = async () => {
      const rows = await Promise.all((["grant", "sticky"] as const).map((kind) => w.store.rows({ kind, limit: 10 })));
      return rows.map(({ length }) => length);
    };
    expect(await left()).toEqual([1, 2]);
    w.clock.time += 25 * HOUR;
    await tidyState(w);
    // In its own run a denial stands for good.
    expect(await left()).toEqual([0, 1]);
  });

  it("is no pot whose window is not over yet", async () => {
    const { w } = governed({ window: { kind: "fixed", ms: 366 * 24 * HOUR } });
    expect((await w.call({ amount: 100 })).status).toBe("ran");
    w.clock.time += 200 * 24 * HOUR;
    await tidyState(w);
    expect(await w.call({ amount: 1 }, { maxWaitMs: 0 })).toMatchObject({ denial: { rules: ["budget:b"] } });
  });
});

describe("a run", () => {
  it("asks no more of people than they can answer, whatever it is that asks", async () => {
    const { w } = governed({ limit: 0n });
    const answers = [];
    for (let n = 0; n < 101; n++) answers.push(await w.call({ amount: 1, n }, { maxWaitMs: 0 }));
    expect(answers.slice(0, 100).every((one) => one.status === "denied" && one.denial.status === "pending")).toBe(true);
    expect(answers[100]).toMatchObject({ denial: { status: "denied", rules: ["approval.waiting"] } });
    expect(w.paused).toHaveLength(100);
    const held = (await w.store.rows({ kind: "hold", limit: 1_000 })).map(({ value }) => decodeHold(value).state);
    expect(held).toEqual([]);
  });

  it("that holds money and asks for a finding gives it back when it may ask no more", async () => {
    const finding = { ...LOOP_DEFAULTS.raw, calls: 1 };
    const caps = { ...LOOP_DEFAULTS.caps, calls: null, minutes: null };
    const { w } = governed({ traits: { kind: "none" }, limit: 10_000n, detectors: { raw: finding, caps } });
    expect((await w.call({ amount: 1 })).status).toBe("ran");
    for (let n = 0; n < 101; n++) await w.call({ amount: 1 }, { maxWaitMs: 0 });
    expect(w.paused).toHaveLength(100);
    expect(await potOf(w)).toMatchObject({ held: 100n, spent: 1n });
  });

  it("that goes on below another hears its person once: taking it up clears no loop", async () => {
    const { w } = governed({ traits: { kind: "read" } });
    const prompt = ["go on"];
    const top = w.gate.openRun({ id: "top", agent: "bot", environment: "prod", prompt });
    const request = { tool: "look", args: { amount: 0 } };
    const look = (run: typeof top) => w.gate.call(run, request, () => "nothing");
    for (let n = 0; n < 3; n++) expect((await look(top)).status).toBe("ran");
    const parent = { root: "top", runs: ["top"], depth: -1 };
    const taken = w.gate.openRun({ id: "taken", agent: "bot", environment: "prod", prompt, depth: 0, parent });
    expect(await look(taken)).toMatchObject({ denial: { rules: ["breaker:repeat"] } });
  });
});

describe("a clock that goes back over the edge of a window (trap 19)", () => {
  const windows = [
    { kind: "fixed", ms: HOUR },
    { kind: "calendar", unit: "hour", zone: "UTC" },
  ] as const;

  it.each(windows)("does not meet the room of the window before: %j [B3~]", async (window) => {
    const { w } = governed({ window, over: "deny" });
    const zoned = () => createGate({ ...w.ports, zones: () => 0 });
    const spend = async (gate: Gate, amount: number) => {
      const run = gate.openRun({ agent: "bot", environment: "prod" });
      return (await gate.call(run, { tool: "refund", args: { amount } }, () => w.ran.push({ amount }))).status;
    };
    const gate = zoned();
    w.clock.time = 500 * HOUR + 1_000;
    expect(await spend(gate, 100)).toBe("ran");
    w.clock.time -= 60_000;
    expect(await spend(gate, 1)).toBe("denied");
    // Nor does a process that has just started.
    expect(await spend(zoned(), 1)).toBe("denied");
    w.clock.time = 501 * HOUR;
    expect(await spend(gate, 100)).toBe("ran");
    expect(w.ran).toEqual([{ amount: 100 }, { amount: 100 }]);
  });
});

describe("a run that is taken up again and again", () => {
  it("is no way out of a loop: the same words after a restart are no message of a person (trap 20) [B1~]", async () => {
    const { w } = governed({ traits: { kind: "read" } });
    const ran: string[] = [];
    /** A process that starts, makes one call and dies. */
    const life = async (...prompt: string[]) => {
      const run = w.gate.openRun({ id: "nightly", agent: "bot", environment: "prod", prompt });
      const answer = await w.gate.call(run, { tool: "look", args: { amount: 0 } }, () => {
        ran.push(prompt.join(" / "));
        return "nothing";
      });
      return answer.status === "denied" ? answer.denial.rules : answer.status;
    };
    for (let n = 0; n < 3; n++) expect(await life("sum up the day")).toBe("ran");
    expect(await life("sum up the day")).toEqual(["breaker:repeat"]);
    expect(await life("sum up the day", "only the mails")).toBe("ran");
    // Words of before, whatever was said in between.
    for (let n = 0; n < 2; n++) expect(await life("sum up the day")).toBe("ran");
    expect(await life("sum up the day")).toEqual(["breaker:repeat"]);
    expect(ran).toHaveLength(6);
  });

  it("keeps of what was said a digest that differs from store to store", async () => {
    const heard = async () => {
      const { w } = governed({});
      const run = w.gate.openRun({
        id: "nightly",
        agent: "bot",
        environment: "prod",
        prompt: ["the plan of Ann Miller"],
      });
      await w.gate.call(run, { tool: "look", args: { amount: 0 } }, () => "done");
      const value = (await w.store.row("run", "nightly"))?.value as { readonly heard?: { said: readonly string[] } };
      return value.heard?.said ?? [];
    };
    const [one, other] = [await heard(), await heard()];
    expect([one.length, other.length]).toEqual([1, 1]);
    expect(one).not.toEqual(other);
  });
});

describe("what is stored and says something else than we wrote", () => {
  it.each([
    ["breaker", { state: "Stopped" }],
    ["breaker", "no breaker"],
    ["stops", { epoch: 1 }],
    ["run", {}],
    ["agent", []],
    ["pot", { held: "none" }],
  ] as const)("a %s of %j lets nothing run", async (kind, value) => {
    const { w } = governed({});
    const pot = JSON.stringify(["b", "prod", "usd_cents", [], "ever"]);
    const ids = { breaker: `["run","${w.run.root}"]`, stops: "board", run: w.run.root, agent: '["prod","bot"]', pot };
    const row = { kind, id: ids[kind], version: 1, due: null, value };
    expect(await w.store.commit({ rows: [{ row, expect: null }], entries: [] })).toMatchObject({ ok: true });
    expect((await w.call({ amount: 1 })).status).toBe("denied");
    expect(w.ran).toEqual([]);
  });
});

describe("what a person denied", () => {
  it("does not run by an earlier yes to the same call, and runs by a later one", async () => {
    for (const [first, second, status] of [
      ["approve", "deny", "denied"],
      ["deny", "approve", "ran"],
    ] as const) {
      const { w } = governed({ judge: () => patient() });
      const ask = (key: string) => w.call({ amount: 1 }, { key, maxWaitMs: 0 });
      await ask("a");
      await ask("b");
      const [one, two] = [await asked(w, 1), await asked(w, 2)];
      const order = first === "approve" ? [one, two] : [two, one];
      for (const [at, verdict] of [first, second].entries()) {
        w.clock.time += 1_000;
        await w.decide(verdict, undefined, order[at]?.id);
      }
      expect((await ask("a")).status).toBe(status);
    }
  });
});

const watched = <Key extends "denials" | "repeat" | "cycle" | "errors" | "rate">(key: Key) => ({
  [key]: { ...LOOP_DEFAULTS[key], mode: "observe" },
});

/** Detectors that would end a run of random calls at once. */
const PATIENT: Partial<LoopSettings> = {
  caps: { ...LOOP_DEFAULTS.caps, calls: null, minutes: null },
  ...watched("denials"),
  ...watched("repeat"),
  ...watched("cycle"),
  ...watched("errors"),
  ...watched("rate"),
};

describe("the books [B4~]", () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant("call" as const), amount: fc.nat(80), verdict: fc.constantFrom("allow", "pause") }),
    fc.record({ act: fc.constant("answer" as const), verdict: fc.constantFrom("approve", "deny"), edit: fc.nat(300) }),
    fc.record({ act: fc.constant("wait" as const), ms: fc.integer({ min: -200_000, max: HOUR }) }),
  );

  it("add up and lend nothing that is not used, whatever calls, people and clocks do", async () => {
    const windows = fc.constantFrom<BudgetClaim["window"]>({ kind: "sliding", ms: HOUR }, { kind: "ever" });
    await fc.assert(
      fc.asyncProperty(windows, fc.array(step, { maxLength: 60 }), async (window, steps) => {
        const { w, rules } = governed({ window, detectors: PATIENT, traits: { kind: "read" } }, ({ amount }) => {
          if (Number(amount) % 3 === 0) throw new Error("not found");
          return amount;
        });
        const calls: Promise<unknown>[] = [];
        let answered = 0;
        const answer = async (verdict: "approve" | "deny", amount: number) => {
          const approval = w.paused[answered];
          if (approval === undefined) return;
          answered++;
          await w.decide(verdict, verdict === "approve" && amount < 150 ? { amount } : undefined, approval.id);
        };
        for (const one of steps) {
          if (one.act === "wait") w.clock.time += one.ms;
          else if (one.act === "answer") await answer(one.verdict, one.edit);
          else {
            rules.judge = () => (one.verdict === "pause" ? patient() : decision("allow"));
            calls.push(w.call({ amount: one.amount }, { maxWaitMs: 48 * HOUR }));
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        const over = Promise.all(calls).then(() => true);
        const turn = () => new Promise<false>((resolve) => setImmediate(() => resolve(false)));
        while (!(await Promise.race([over, turn()]))) await answer("deny", 0);

        expect(await openHolds(w.store, 1_000)).toEqual([]);
        const { faults } = await auditStore(w.store);
        // What has left a sliding window is in its holds and no more in its pot.
        expect(faults.filter(({ kind }) => kind !== "drift" || window.kind !== "sliding")).toEqual([]);
        for (const { value } of await w.store.rows({ kind: "pot", limit: 10 })) {
          const { held, spent, limit, raised, lent = 0n } = decodePot(value);
          expect({ held, raised }).toEqual({ held: 0n, raised: lent });
          if (lent > 0n) expect(spent).toBe(limit + lent);
        }
      }),
      { numRuns: 60 },
    );
  });
});
