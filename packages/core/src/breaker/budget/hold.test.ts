import { describe, expect, it } from "vitest";
import type { CallState } from "../../lifecycle.ts";
import { audit } from "./audit.ts";
import { expireHold, type Hold, type Pot, type Proof, potId, raiseLimit, reserve, settle, voidHold } from "./hold.ts";

const pot = (id: string, limit: bigint, change: Partial<Pot> = {}): Pot => ({
  id,
  budget: id,
  unit: "usd_micros",
  limit,
  raised: 0n,
  over: "pause",
  held: 0n,
  spent: 0n,
  marked: 0,
  ...change,
});
const request = (...parts: { pot: string; amount: bigint }[]) =>
  ({ id: "h1", call: "c1", attempt: 1, parts, at: 0, deadline: 1_000 }) as const;

function held(amount = 40n): Hold {
  const reserved = reserve([pot("a", 100n)], request({ pot: "a", amount }));
  if (!reserved.ok) throw new Error(reserved.why);
  return reserved.hold;
}

describe("reserve [B3~]", () => {
  it("takes all pots on the path or none", () => {
    const pots = [pot("tenant", 1_000n), pot("agent", 100n, { spent: 70n }), pot("run", 50n, { held: 45n })];
    const wants = (amount: bigint) => request(...pots.map(({ id }) => ({ pot: id, amount })));
    const small = reserve(pots, wants(5n));
    expect(small.ok && small.pots.map(({ id, held }) => [id, held])).toEqual([
      ["agent", 5n],
      ["run", 50n],
      ["tenant", 5n],
    ]);
    expect(reserve(pots, wants(31n))).toEqual({
      ok: false,
      why: "over",
      shortages: [
        { pot: "agent", budget: "agent", over: "pause", limit: 100n, used: 70n, wanted: 31n },
        { pot: "run", budget: "run", over: "pause", limit: 50n, used: 45n, wanted: 31n },
      ],
    });
  });

  it("may use the limit up and not pass it, by one step neither", () => {
    expect(reserve([pot("a", 100n, { spent: 60n })], request({ pot: "a", amount: 40n })).ok).toBe(true);
    expect(reserve([pot("a", 100n, { spent: 60n })], request({ pot: "a", amount: 41n })).ok).toBe(false);
    expect(reserve([pot("a", 100n, { spent: 130n })], request({ pot: "a", amount: 0n })).ok).toBe(false);
  });

  it.each<[string, { pot: string; amount: unknown }[]]>([
    ["less than nothing", [{ pot: "a", amount: -1n }]],
    ["a number", [{ pot: "a", amount: 1 }]],
    ["nothing", [{ pot: "a", amount: undefined }]],
    ["more than 64 bits", [{ pot: "a", amount: 2n ** 63n }]],
    ["a pot that was not read", [{ pot: "b", amount: 1n }]],
    [
      "one pot twice",
      [
        { pot: "a", amount: 1n },
        { pot: "a", amount: 1n },
      ],
    ],
  ])("refuses %s (trap 19)", (_what, parts) => {
    expect(reserve([pot("a", 100n)], request(...(parts as { pot: string; amount: bigint }[])))).toEqual({
      ok: false,
      why: "invalid",
    });
  });

  it("tells of 50, 80 and 100 % once each", () => {
    let pots: readonly Pot[] = [pot("a", 100n)];
    const told = [49n, 1n, 10n, 25n, 15n].map((amount) => {
      const step = reserve(pots, request({ pot: "a", amount }));
      if (!step.ok) throw new Error(step.why);
      pots = step.pots;
      return step.marks.map(({ percent }) => percent);
    });
    expect(told).toEqual([[], [50], [], [80], [100]]);
    const whole = reserve([pot("b", 10n)], request({ pot: "b", amount: 10n }));
    expect(whole.ok && whole.marks.map(({ percent }) => percent)).toEqual([50, 80, 100]);
    expect(reserve([pot("c", 0n)], request({ pot: "c", amount: 0n }))).toMatchObject({ ok: true, marks: [] });
  });

  it("keeps environments and units apart", () => {
    const of = { budget: "b", environment: "prod", unit: "usd", key: ["a"], window: { key: "ever", since: null } };
    const ids = [of, { ...of, environment: "dev" }, { ...of, unit: "eur" }, { ...of, key: ["a", ""] }].map(potId);
    expect(new Set(ids).size).toBe(4);
  });
});

describe("every state of a hold × what may happen to it", () => {
  const settled = settle(held(), [], 5);
  const voided = voidHold(held(), { by: "gate" }, 5);
  if (!settled.ok || !voided.ok) throw new Error("a held hold can be settled and voided");
  const states: readonly (readonly [string, Hold])[] = [
    ["held", held()],
    ["settled", settled.hold],
    ["void", voided.hold],
  ];
  it.each(states)("%s", (name, hold) => {
    const may = name === "held";
    expect(settle(hold, [], 2_000).ok).toBe(may);
    expect(voidHold(hold, { by: "gate" }, 2_000).ok).toBe(may);
    expect(expireHold(hold, "denied", 2_000).ok).toBe(may);
  });

  it("books what was used, or what was held where nobody knows; more than was held is an alarm", () => {
    expect(settle(held(), [{ pot: "a", amount: 25n }], 5)).toMatchObject({
      exceeded: false,
      changes: [{ pot: "a", held: -40n, spent: 25n }],
    });
    expect(settle(held(), [], 5)).toMatchObject({ changes: [{ held: -40n, spent: 40n }] });
    expect(settle(held(), [{ pot: "a", amount: 41n }], 5)).toMatchObject({ exceeded: true });
    expect(settle(held(), [{ pot: "other", amount: 1n }], 5)).toEqual({ ok: false, why: "invalid" });
    expect(settle(held(), [{ pot: "a", amount: -1n }], 5)).toEqual({ ok: false, why: "invalid" });
  });

  const ANN = { id: "ann", kind: "person", roles: [] } as const;
  it.each<[string, unknown, boolean]>([
    ["the gate's own executor", { by: "gate" }, true],
    ["a look-up", { by: "lookup", reference: "ch_1: not found" }, true],
    ["a look-up of nothing", { by: "lookup", reference: "" }, false],
    ["a person", { by: "person", actor: ANN, reason: "checked at the bank" }, true],
    ["a person without a reason", { by: "person", actor: ANN, reason: "" }, false],
    ["an agent in a person's place", { by: "person", actor: { ...ANN, kind: "agent" }, reason: "it did not" }, false],
    ["the agent", { by: "agent" }, false],
    ["nobody", {}, false],
  ])("is released on the word of %s: %s %s", (_who, proof, releases) => {
    expect(voidHold(held(), proof as Proof, 5).ok).toBe(releases);
  });

  it.each<[CallState, string]>([
    ["pending", "may-have-run"],
    ["approved", "may-have-run"],
    ["executing", "may-have-run"],
    ["unknown", "may-have-run"],
    ["succeeded", "may-have-run"],
    ["failed", "released"],
    ["denied", "released"],
    ["expired", "released"],
  ])("at its deadline, with a call that is %s: %s", (state, expected) => {
    const step = expireHold(held(), state, 1_000);
    expect(step.ok ? "released" : step.why).toBe(expected);
    expect(expireHold(held(), state, 999)).toEqual({ ok: false, why: "not-due" });
  });
});

describe("limits", () => {
  it("are raised by a named admin with a reason only", () => {
    const admin = { id: "ann", kind: "person", roles: ["admin"] } as const;
    const full = pot("a", 100n, { spent: 100n, marked: 100 });
    expect(raiseLimit(full, 100n, admin, "quarter end")).toMatchObject({ limit: 100n, raised: 100n, marked: 50 });
    expect(raiseLimit(full, 100n, admin, " ")).toBeUndefined();
    expect(raiseLimit(full, 0n, admin, "x")).toBeUndefined();
    expect(raiseLimit(full, 200n, { ...admin, roles: ["approver"] }, "x")).toBeUndefined();
    expect(raiseLimit(full, 200n, { ...admin, kind: "agent" }, "x")).toBeUndefined();
  });
});

describe("the auditor", () => {
  const ok = [pot("a", 100n, { held: 40n })];
  it.each<[string, readonly Pot[], readonly Hold[], CallState | undefined, string | undefined]>([
    ["rows and counters that agree", ok, [held()], "executing", undefined],
    ["a counter that drifted", [pot("a", 100n, { held: 39n })], [held()], "executing", "drift"],
    ["a pot over its limit", [pot("a", 30n, { held: 40n })], [held()], "executing", "overspent"],
    ["a hold of a call that is over", ok, [held()], "succeeded", "leaked"],
    ["a hold of a call that nobody knows", ok, [held()], undefined, "phantom"],
    ["two holds of one attempt", [pot("a", 100n, { held: 80n })], [held(), held()], "executing", "twice"],
    [
      "a row below nothing",
      [pot("a", 100n, { held: -5n })],
      [{ ...held(), parts: [{ pot: "a", amount: -5n }] }],
      "executing",
      "malformed",
    ],
  ])("sees %s", (_what, pots, holds, state, fault) => {
    const states = new Map<string, CallState>(state === undefined ? [] : [["c1", state]]);
    expect(audit(pots, holds, states).map(({ kind }) => kind)).toEqual(fault === undefined ? [] : [fault]);
  });

  it("sees spending for a call that surely did not run", () => {
    const step = settle(held(), [], 5);
    if (!step.ok) throw new Error(step.why);
    const pots = [pot("a", 100n, { spent: 40n })];
    expect(audit(pots, [step.hold], new Map([["c1", "failed"]])).map(({ kind }) => kind)).toEqual(["phantom"]);
  });
});
