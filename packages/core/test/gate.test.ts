import { recover, SafeRunError, type Store } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asked, byAmount, decision, headerOf, type Judge, VirtualClock, world } from "./world.ts";

const CALL = ["call.proposed", "call.decided"];
const RAN = [...CALL, "call.executing", "call.finished"];
const START = ["policy.activated", "run.started"];

describe("the path of one call", () => {
  it("allow: recorded before, run once with exactly these arguments, recorded after [A1~] [L1~]", async () => {
    const at = world();
    expect(await at.call({ amount: 45 })).toMatchObject({ status: "ran", result: "done" });
    expect(at.ran).toEqual([{ amount: 45 }]);
    expect(await at.log()).toEqual([...START, ...RAN]);
  });

  it("is durable before the tool is contacted: the claim stands in the log when the tool runs [L1~]", async () => {
    let seen: string[] = [];
    const store = createMemoryStore();
    const at = world({ store, tool: () => "done" });
    await at.gate.call(at.run, { tool: "refund", args: { amount: 1 } }, async () => {
      seen = await at.log();
    });
    expect(seen.at(-1)).toBe("call.executing");
  });

  it("hands the result back only after the outcome is durable", async () => {
    const at = world();
    await at.call({ amount: 1 });
    expect((await at.store.callsIn(["succeeded"], 9)).length).toBe(1);
  });

  it("deny: recorded, told with the rule, and the tool did not run", async () => {
    const at = world();
    const answer = await at.call({ amount: 5_000 });
    expect(answer).toMatchObject({ status: "denied", denial: { status: "denied", rules: ["deny"], retry: false } });
    expect(at.ran).toEqual([]);
    expect(await at.log()).toEqual([...START, ...CALL]);
  });

  it("pause, then approve: waits and runs exactly once [A1~]", async () => {
    const at = world();
    const answer = at.call({ amount: 500 });
    await asked(at);
    expect(at.ran).toEqual([]);
    expect(await at.decide("approve")).toMatchObject({ status: "applied" });
    expect(await answer).toMatchObject({ status: "ran", permit: { edited: false } });
    expect(at.ran).toEqual([{ amount: 500 }]);
    expect(await at.log()).toEqual([
      ...START,
      ...CALL,
      "approval.requested",
      "approval.decided",
      "call.decided",
      "approval.consumed",
      "call.executing",
      "call.finished",
    ]);
  });

  it("pause, then deny: the tool did not run", async () => {
    const at = world();
    const answer = at.call({ amount: 500 });
    await asked(at);
    await at.decide("deny");
    expect(await answer).toMatchObject({ status: "denied", denial: { rules: ["pause"] } });
    expect(at.ran).toEqual([]);
  });

  it("pause, then edit: the edited arguments are judged again and run, the proposed ones never [A3~]", async () => {
    const at = world();
    const answer = at.call({ amount: 500, charge: "ch_1" });
    await asked(at);
    await at.decide("approve", { amount: 450, charge: "ch_1" });
    expect(await answer).toMatchObject({ status: "ran", permit: { edited: true, args: { amount: 450 } } });
    expect(at.ran).toEqual([{ amount: 450, charge: "ch_1" }]);
  });

  it("an edit never turns a deny into anything (trap 14)", async () => {
    const at = world();
    const answer = at.call({ amount: 500 });
    await asked(at);
    expect(await at.decide("approve", { amount: 50_000 })).toMatchObject({ status: "applied" });
    expect(await answer).toMatchObject({ status: "denied", denial: { rules: ["deny"] } });
    expect(at.ran).toEqual([]);
  });

  it("an edit outside of the editable paths is refused, and the call still waits", async () => {
    const at = world();
    const answer = at.call({ amount: 500, charge: "ch_1" });
    await asked(at);
    for (const args of [{ amount: 500, charge: "ch_2" }, { amount: 500 }, { amount: 1, charge: "ch_1", extra: 1 }]) {
      expect(await at.decide("approve", args)).toMatchObject({ status: "refused", reason: "not-editable" });
    }
    expect(await at.decide("approve", { amount: Number.NaN, charge: "ch_1" })).toMatchObject({ reason: "malformed" });
    expect(at.ran).toEqual([]);
    await at.decide("deny");
    await answer;
    expect(at.ran).toEqual([]);
  });

  it("an edit with a reason that its approver did not see asks anew", async () => {
    const judge: Judge = (call) =>
      call.args.amount === 450 ? decision("pause", "other") : byAmount(call, {} as never);
    const at = world({ judge });
    const answer = at.call({ amount: 500 });
    await asked(at);
    await at.decide("approve", { amount: 450 });
    const second = await asked(at, 2);
    expect(second.reasons.map((reason) => reason.id)).toEqual(["other"]);
    expect(at.ran).toEqual([]);
    await at.decide("approve");
    expect(await answer).toMatchObject({ status: "ran" });
    expect(at.ran).toEqual([{ amount: 450 }]);
  });

  it("silence denies: nobody answers in time, and a late approval is refused (trap 6)", async () => {
    const at = world();
    expect(await at.call({ amount: 500 })).toMatchObject({ status: "denied", denial: { status: "expired" } });
    expect(await at.decide("approve")).toMatchObject({ status: "refused", reason: "expired" });
    expect(at.ran).toEqual([]);
    expect((await at.log()).at(-1)).toBe("approval.expired");
  });

  it("two decisions at the same moment: one is applied, and the tool runs once", async () => {
    const at = world();
    const answer = at.call({ amount: 500 });
    await asked(at);
    const answers = await Promise.all([at.decide("approve"), at.decide("approve"), at.decide("deny")]);
    expect(answers.filter((one) => one.status === "applied").length).toBe(1);
    await answer;
    expect(at.ran.length).toBeLessThanOrEqual(1);
  });
});

describe("an approval [A4]", () => {
  it("is bound to one call's digest: it permits no other arguments, and no other call with the same ones", async () => {
    const at = world();
    const answers = [at.call({ amount: 500 }), at.call({ amount: 501 }), at.call({ amount: 500 })];
    await asked(at, 3);
    await at.decide("approve", undefined, at.paused[0]?.id);
    expect(await answers[0]).toMatchObject({ status: "ran" });
    expect((await Promise.all(answers.slice(1))).map((answer) => answer.status)).toEqual(["denied", "denied"]);
    expect(at.ran).toEqual([{ amount: 500 }]);
  });

  it("is used once: neither the same key nor the same arguments run by it again", async () => {
    const at = world();
    const answer = at.call({ amount: 500 }, { key: "k" });
    const approval = await asked(at);
    await at.decide("approve");
    await answer;
    expect(await at.call({ amount: 500 }, { key: "k" })).toMatchObject({ denial: { rules: ["call.repeated"] } });
    expect(await at.call({ amount: 500 })).toMatchObject({ denial: { status: "expired" } });
    expect(await at.store.approval(approval.id)).toMatchObject({ state: "consumed" });
    expect(at.ran).toEqual([{ amount: 500 }]);
  });

  it("expires: one that is not used in time permits nothing", async () => {
    const clock = new VirtualClock();
    const at = world({ clock });
    const controller = new AbortController();
    const answer = at.call({ amount: 500 }, { signal: controller.signal });
    await asked(at);
    // The clock jumps between the decision and its use.
    const decided = at.decide("approve");
    clock.time += 10_000_000;
    await decided;
    clock.time += 10_000_000;
    expect(await answer).toMatchObject({ status: "denied", denial: { status: "expired" } });
    expect(at.ran).toEqual([]);
  });

  it("is judged again when it is used: the policies of now win", async () => {
    let strict = false;
    const at = world({ judge: (call, context) => (strict ? decision("deny", "new") : byAmount(call, context)) });
    const answer = at.call({ amount: 500 });
    await asked(at);
    strict = true;
    await at.decide("approve");
    expect(await answer).toMatchObject({ status: "denied", denial: { rules: ["new"] } });
    expect(at.ran).toEqual([]);
  });
});

describe("what fails ends in a denial", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("boo");
      },
    ],
    ["returns nothing", () => undefined as never],
    ["returns another verdict", () => ({ ...decision("allow"), verdict: "yes" }) as never],
    ["pauses without a reason", () => decision("pause", "p", { pauses: [] })],
  ] satisfies [string, Judge][])("a policy that %s (trap 5)", async (_name, judge) => {
    const at = world({ judge });
    const answer = at.call({ amount: 1 });
    expect((await answer).status).toBe("denied");
    expect(at.ran).toEqual([]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("boo");
      },
    ],
    ["rejects", () => Promise.reject(new Error("boo"))],
    ["hangs", () => new Promise<void>(() => undefined)],
    ["returns an approval", () => ({ verdict: "approve" }) as never],
  ])("an onPause that %s: the call waits all the same, then expires (trap 5)", async (_name, onPause) => {
    const at = world({ onPause });
    expect((await at.call({ amount: 500 })).status).toBe("denied");
    expect(at.ran).toEqual([]);
  });

  it("malformed arguments are recorded and denied (trap 7)", async () => {
    const at = world();
    for (const args of [
      { amount: Number.NaN },
      { amount: 2 ** 53 + 2 },
      JSON.parse('{"__proto__":{}}'),
      "amount",
      null,
    ]) {
      expect(await at.call(args)).toMatchObject({ status: "denied", denial: { rules: ["call.malformed"] } });
    }
    expect(at.ran).toEqual([]);
    expect((await at.log()).filter((type) => type === "call.decided").length).toBe(5);
  });

  it("a tool that throws on a write leaves the outcome unknown, and the error goes to the caller", async () => {
    const at = world({
      tool: () => {
        throw new Error("socket hang up");
      },
    });
    expect(await at.call({ amount: 1 })).toMatchObject({ status: "threw", error: { message: "socket hang up" } });
    expect((await at.store.callsIn(["unknown"], 9)).length).toBe(1);
    expect(at.ran.length).toBe(1);
  });
});

describe("one key, one run (trap 15)", () => {
  it("the same key with the same arguments does not run twice", async () => {
    const at = world();
    await at.call({ amount: 1 }, { key: "k" });
    expect(await at.call({ amount: 1 }, { key: "k" })).toMatchObject({
      status: "denied",
      denial: { rules: ["call.repeated"] },
    });
    expect(at.ran.length).toBe(1);
  });

  it("the same key with other arguments is refused", async () => {
    const at = world();
    await at.call({ amount: 1 }, { key: "k" });
    expect(await at.call({ amount: 2 }, { key: "k" })).toMatchObject({
      status: "denied",
      denial: { rules: ["call.mismatch"] },
    });
    expect(at.ran).toEqual([{ amount: 1 }]);
  });

  it("twice at the same time: once", async () => {
    const at = world();
    await Promise.all([
      at.call({ amount: 1 }, { key: "k" }),
      at.call({ amount: 1 }, { key: "k" }),
      at.call({ amount: 1 }, { key: "k" }),
    ]);
    expect(at.ran.length).toBe(1);
  });

  it("twice while it waits: one question, one run", async () => {
    const at = world();
    const answers = [at.call({ amount: 500 }, { key: "k" }), at.call({ amount: 500 }, { key: "k" })];
    await asked(at);
    await at.decide("approve");
    const statuses = (await Promise.all(answers)).map((answer) => answer.status).sort();
    expect(statuses).toEqual(["denied", "ran"]);
    expect(at.paused.length).toBe(1);
    expect(at.ran.length).toBe(1);
  });
});

describe("a caller that gave up does not see its tool run later", () => {
  it("before the call", async () => {
    const at = world();
    expect(await at.call({ amount: 1 }, { signal: AbortSignal.abort() })).toMatchObject({
      denial: { status: "aborted" },
    });
    expect(at.ran).toEqual([]);
  });

  it("while it waits: a later approval finds it closed", async () => {
    const at = world();
    const controller = new AbortController();
    const answer = at.call({ amount: 500 }, { signal: controller.signal });
    await asked(at);
    controller.abort();
    expect(await answer).toMatchObject({ denial: { status: "aborted" } });
    expect(await at.decide("approve")).toMatchObject({ status: "refused", reason: "expired" });
    expect(at.ran).toEqual([]);
  });
});

/* Every durable step × what can happen to it. Afterwards: nothing ran that was not decided, and nothing ran twice. */
type Fault = "fails" | "fails but was stored" | "never answers";

function faulty(store: Store, at: number, fault: Fault): Store {
  let commits = 0;
  return new Proxy(store, {
    get(target, name) {
      if (name !== "commit") {
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (...args: Parameters<Store["commit"]>) => {
        if (++commits !== at) return target.commit(...args);
        if (fault !== "fails") await target.commit(...args);
        if (fault === "never answers") return new Promise(() => undefined);
        throw new SafeRunError("record.full", "no space left on the disk", { retryable: true });
      };
    },
  });
}

describe("fault table: every durable step of a call [L1]", () => {
  const steps: readonly (readonly [name: string, amount: number, at: number, ranFully: number])[] = [
    ["the claim of an allowed call", 1, 1, 0],
    ["the outcome of an allowed call", 1, 2, 1],
    ["the record of a denied call", 5_000, 1, 0],
    ["the question of a paused call", 500, 1, 0],
    ["the decision", 500, 2, 1],
    ["the claim of an approved call", 500, 3, 0],
    ["the outcome of an approved call", 500, 4, 1],
  ];
  const faults: readonly Fault[] = ["fails", "fails but was stored", "never answers"];
  const table = steps.flatMap((step) => faults.map((fault) => [...step, fault] as const));

  it.each(table)("%s (%d, commit %d, may run %d): %s", async (_name, amount, commit, mayRun, fault) => {
    const clock = new VirtualClock();
    const inner = createMemoryStore({ clock });
    const at = world({ store: faulty(inner, commit, fault), clock });
    const answer = at.call({ amount }, { key: "k" }).catch((error: unknown) => error);
    if (amount === 500 && commit > 1) {
      await asked(at);
      await Promise.race([
        at.decide("approve").catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, 20)),
      ]);
    }
    const patience = new Promise((resolve) => setTimeout(() => resolve("no answer"), 50));
    const result = await Promise.race([answer, patience]);
    // A decision that was stored counts, though the person who made it never heard so.
    if (fault === "never answers" && !(amount === 500 && commit === 2))
      expect(result).not.toMatchObject({ status: "ran" });
    const before = at.ran.length;
    expect(before).toBeLessThanOrEqual(mayRun);

    // The process dies here; another one opens the same store, repairs it, and the agent asks again with its key.
    clock.time += 10_000_000;
    await recover(inner, clock);
    const after = world({ store: inner, clock });
    const again = { ...after.run, id: at.run.id };
    await after.gate.call(again, { tool: "refund", args: { amount }, key: "k" }, (permit) =>
      after.ran.push(permit.args),
    );
    expect(before + after.ran.length).toBeLessThanOrEqual(1);
    const executions = (await inner.entries({ from: 0, limit: 99 })).filter(
      (entry) => headerOf(entry).type === "call.executing",
    );
    expect(before + after.ran.length).toBeLessThanOrEqual(executions.length);
    expect((await inner.callsIn(["executing"], 9)).length).toBe(0);
  });
});

describe("any order of decisions, aborts and retries", () => {
  it("runs a call at most once, and only with arguments that were allowed or approved", async () => {
    const action = fc.constantFrom("approve", "deny", "edit", "edit too far", "abort", "again", "wait");
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 6 }), async (actions) => {
        const at = world();
        const controller = new AbortController();
        const request = { key: "k", signal: controller.signal };
        const answers = [at.call({ amount: 500 }, request)];
        await asked(at);
        for (const name of actions) {
          if (name === "approve" || name === "deny") await at.decide(name);
          else if (name === "edit") await at.decide("approve", { amount: 450 });
          else if (name === "edit too far") await at.decide("approve", { amount: 9_999 });
          else if (name === "abort") controller.abort();
          else if (name === "again") answers.push(at.call({ amount: 500 }, request));
          else await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(answers);
        expect(at.ran.length).toBeLessThanOrEqual(1);
        for (const args of at.ran) expect([450, 500]).toContain(args.amount);
      }),
      { numRuns: 100 },
    );
  });
});
