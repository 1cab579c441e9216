import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt, type OutboxEvent, type OutboxRow, queued, stepOutbox } from "./outbox.ts";

const HOUR = 3_600_000;
const about = { approval: "appr_1", channel: "slack:#fin", kind: "asked", version: 1, giveUpAt: HOUR } as const;
const row = queued(about, 0);
const DOWN = { retry: true, message: "down" };

function after(...events: readonly (readonly [OutboxEvent, number])[]): OutboxRow {
  return events.reduce((before, [event, now]) => {
    const step = stepOutbox(before, event, now);
    return step.ok ? step.row : before;
  }, row);
}

const lease = (owner = "a"): OutboxEvent => ({ type: "lease", owner, leaseMs: 1_000 });
const sent = (owner = "a"): OutboxEvent => ({ type: "sent", owner, message: "ts-1" });
const failed = (owner = "a", failure: { retry: boolean; message: string; afterMs?: number } = DOWN): OutboxEvent => ({
  type: "failed",
  owner,
  failure,
});

describe("a row of the outbox", () => {
  it("is one for each approval, channel, kind and version", () => {
    expect(queued(about, 0).id).toBe(queued(about, 99).id);
    const others = [{ approval: "appr_2" }, { channel: "cli" }, { kind: "closed" as const }, { version: 2 }];
    const ids = others.map((other) => queued({ ...about, ...other }, 0).id);
    expect(new Set([row.id, ...ids]).size).toBe(5);
  });

  it("is leased, sent, and keeps the vendor's id", () => {
    const done = after([lease(), 0], [sent(), 10]);
    expect(done).toMatchObject({ revision: 3, attempts: 1, state: { name: "sent", message: "ts-1" } });
    expect(dueAt(done)).toBeUndefined();
  });

  it("is nobody else's while it is leased, and anybody's afterwards", () => {
    const leased = after([lease("a"), 0]);
    expect(stepOutbox(leased, lease("b"), 999)).toEqual({ ok: false, reason: "not-due" });
    expect(stepOutbox(leased, sent("b"), 999)).toEqual({ ok: false, reason: "not-owner" });
    const taken = after([lease("a"), 0], [lease("b"), 1_000]);
    expect(taken).toMatchObject({ attempts: 2, state: { name: "sending", owner: "b" } });
    expect(stepOutbox(taken, sent("a"), 1_001)).toEqual({ ok: false, reason: "not-owner" });
    // Nobody took it: what the owner knows still counts.
    expect(stepOutbox(leased, sent("a"), 5_000)).toMatchObject({ ok: true, row: { state: { name: "sent" } } });
  });

  it("waits longer after each failure, and never less than the vendor wants", () => {
    let current: OutboxRow = row;
    const waits: number[] = [];
    for (let now = 0, tries = 0; tries < 8; tries++) {
      const leased = stepOutbox(current, lease(), now);
      if (!leased.ok) throw new Error(leased.reason);
      const step = stepOutbox(leased.row, failed(), now);
      if (!step.ok) throw new Error(step.reason);
      waits.push((dueAt(step.row) ?? 0) - now);
      now = dueAt(step.row) ?? 0;
      current = step.row;
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(dueAt(after([lease(), 0], [failed("a", { ...DOWN, afterMs: 120_000 }), 0]))).toBe(120_000);
  });

  it("dies when it is refused for good, when it is too late, and when nobody wants it", () => {
    expect(after([lease(), 0], [failed("a", { retry: false, message: "no such channel" }), 1]).state).toEqual({
      name: "dead",
      at: 1,
      reason: "no such channel",
    });
    expect(after([lease(), 0], [failed(), 0], [lease(), HOUR]).state).toMatchObject({ name: "dead", reason: "down" });
    expect(after([lease(), 0], [failed(), HOUR - 1]).state.name).toBe("dead");
    const cancelled = after([{ type: "cancel", reason: "decided" }, 5]);
    expect(cancelled.state).toEqual({ name: "dead", at: 5, reason: "decided" });
    for (const event of [lease(), sent(), failed(), { type: "cancel", reason: "x" } as const])
      expect(stepOutbox(cancelled, event, HOUR)).toEqual({ ok: false, reason: "over" });
  });

  it("never leaves an end, never sends without a lease, and grows by one with every step", () => {
    const owner = fc.constantFrom("a", "b");
    const event = fc.oneof(
      owner.map(lease),
      owner.map(sent),
      owner.map((name) => failed(name)),
      fc.constant<OutboxEvent>({ type: "cancel", reason: "x" }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.integer({ min: 0, max: 5_000 }))), (events) => {
        let [current, now] = [row, 0];
        for (const [next, wait] of events) {
          now += wait;
          const step = stepOutbox(current, next, now);
          if (!step.ok) continue;
          expect(["sent", "dead"]).not.toContain(current.state.name);
          expect(step.row.revision).toBe(current.revision + 1);
          if (step.row.state.name === "sent") expect(current.state.name).toBe("sending");
          current = step.row;
        }
      }),
    );
  });
});
