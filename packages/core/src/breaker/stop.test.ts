import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Actor } from "./person.ts";
import {
  liftStop,
  mayStart,
  placeStop,
  type Stop,
  type StopPermit,
  type StoppableCall,
  type StopScope,
} from "./stop.ts";

const ANN: Actor = { id: "ann", kind: "person", roles: ["admin"] };
const BOB: Actor = { id: "bob", kind: "person", roles: ["admin"] };
const APPROVER: Actor = { id: "cy", kind: "person", roles: ["approver"] };
const EVERYTHING: StopScope = { agent: null, tool: null, run: null };
const CALL: StoppableCall = { agent: "desk", tool: "refund", kind: "write", runs: ["child", "root"] };
const CLAIM: StopPermit = { kind: "transaction" };

function stop(scope: Partial<StopScope> = {}): Stop {
  const placed = placeStop({ id: "s1", scope: { ...EVERYTHING, ...scope }, epoch: 1, reason: "leak" }, APPROVER, 0);
  if (!placed.ok) throw new Error(placed.why);
  return placed.stop;
}

describe("a stop [B6~]", () => {
  it.each<[string, Partial<StopScope>, boolean]>([
    ["everything", {}, true],
    ["the agent", { agent: "desk" }, true],
    ["another agent", { agent: "sales" }, false],
    ["the tool", { tool: "refund" }, true],
    ["another tool", { tool: "mail" }, false],
    ["the run", { run: "child" }, true],
    ["the run that started it", { run: "root" }, true],
    ["another run", { run: "other" }, false],
    ["the agent with another tool", { agent: "desk", tool: "mail" }, false],
    ["a tool whose name begins alike", { tool: "refun" }, false],
  ])("of %s", (_what, scope, stops) => {
    expect(mayStart([stop(scope)], CLAIM, CALL, 0).may).toBe(!stops);
    expect(mayStart([{ ...stop(scope), lifted: 5 }], CLAIM, CALL, 9).may).toBe(true);
  });

  it("is the only thing that matters to a claim that reads the rows itself", () => {
    expect(mayStart([], CLAIM, CALL, Number.NaN)).toEqual({ may: true });
  });

  it.each<[string, StoppableCall["kind"], number, boolean]>([
    ["a read on a fresh view", "read", 1_000, true],
    ["a read on a view of 1 s", "read", 2_000, true],
    ["a read on an older view", "read", 2_001, false],
    ["a read on a view from the future", "read", 999, false],
    ["a read without a clock", "read", Number.NaN, false],
    ["thinking on a fresh view", "none", 1_000, true],
    ["a write on a fresh view: it must read the rows in its claim", "write", 1_000, false],
    ["a destructive call on a fresh view", "destructive", 1_000, false],
  ])("lets %s start: %s at %s → %s", (_what, kind, now, may) => {
    expect(mayStart([], { kind: "replica", refreshedAt: 1_000 }, { ...CALL, kind }, now).may).toBe(may);
  });

  it("is never passed by a view of any age", () => {
    fc.assert(
      fc.property(
        fc.double(),
        fc.double(),
        fc.constantFrom("read", "write", "none", "destructive"),
        (at, now, kind) => {
          const start = mayStart([stop()], { kind: "replica", refreshedAt: at }, { ...CALL, kind }, now);
          expect(start).toMatchObject({ may: false, why: "stopped" });
        },
      ),
    );
  });
});

describe("who may stop and lift [B7~]", () => {
  it.each<[string, Actor, boolean, boolean]>([
    ["an admin", ANN, true, true],
    ["an approver", APPROVER, true, false],
    ["a person without a role", { ...ANN, roles: [] }, false, false],
    ["the agent, whatever it claims", { ...ANN, kind: "agent" }, false, false],
    ["a service", { ...ANN, kind: "service" }, false, false],
  ])("%s", (_who, by, places, lifts) => {
    expect(placeStop({ id: "s", scope: EVERYTHING, epoch: 1, reason: "leak" }, by, 0).ok).toBe(places);
    expect(liftStop(stop({ tool: "refund" }), by, "fixed", 1).ok).toBe(lifts);
  });

  it("needs a reason both ways, and two different admins for everything", () => {
    expect(placeStop({ id: "s", scope: EVERYTHING, epoch: 1, reason: " " }, ANN, 0)).toMatchObject({
      why: "no-reason",
    });
    const first = liftStop(stop(), ANN, "fixed", 1);
    if (!first.ok) throw new Error(first.why);
    expect(first.stop.lifted).toBeNull();
    expect(mayStart([first.stop], CLAIM, CALL, 2).may).toBe(false);
    expect(liftStop(first.stop, ANN, "really", 2)).toEqual({ ok: false, why: "same-person" });
    expect(liftStop(first.stop, BOB, "", 2)).toEqual({ ok: false, why: "no-reason" });
    const second = liftStop(first.stop, BOB, "checked", 3);
    expect(second).toMatchObject({ ok: true, stop: { lifted: 3 } });
    if (second.ok) expect(liftStop(second.stop, BOB, "x", 4)).toEqual({ ok: false, why: "lifted" });
  });
});
