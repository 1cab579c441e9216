import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HEALTH, NO_EVIDENCE, openMs } from "./health.ts";
import { type Breaker, type BreakerEvent, breakerId, CLOSED, stepBreaker } from "./latch.ts";
import type { Actor } from "./person.ts";

const NOW = 1_000_000;
const TRIP = { cause: "loop", reason: "the same round three times", by: "breaker:cycle", at: NOW } as const;
const PROBE = { callId: "probe", owner: "w1", leaseUntil: NOW + 100 } as const;
const ADMIN: Actor = { id: "ann", kind: "person", roles: ["admin"] };

const SICK: Breaker = { state: "closed", evidence: { streak: HEALTH.streak - 1, slices: [] } };
const STATES: Readonly<Record<string, Breaker>> = {
  closed: CLOSED,
  "closed, one failure short": SICK,
  "open, waiting": { state: "open", opened: 1, until: NOW + 1 },
  "open, waited": { state: "open", opened: 1, until: NOW },
  "half open, probing": { state: "half_open", opened: 2, probe: PROBE },
  "half open, probe lost": { state: "half_open", opened: 2, probe: { ...PROBE, leaseUntil: NOW } },
  stopped: { state: "stopped", trip: TRIP },
};
const EVENTS: Readonly<Record<string, BreakerEvent>> = {
  ask: { type: "ask", callId: "new", owner: "w2", leaseMs: 500 },
  "probe ok": { type: "report", callId: "probe", healthy: true, jitter: 0 },
  "probe bad": { type: "report", callId: "probe", healthy: false, jitter: 0 },
  "other ok": { type: "report", callId: "other", healthy: true, jitter: 0 },
  "other bad": { type: "report", callId: "other", healthy: false, jitter: 0 },
  trip: { type: "trip", trip: { ...TRIP, cause: "spend" } },
  reset: { type: "reset", by: ADMIN, reason: "fixed the prompt" },
};

/** `state`, or why not; `=` where nothing changed. */
function outcome(breaker: Breaker, event: BreakerEvent): string {
  const step = stepBreaker(breaker, event, NOW);
  if (!step.ok) return `no: ${step.why}`;
  if (step.breaker === breaker) return "=";
  const { state } = step.breaker;
  return state === "half_open" ? `half_open by ${step.breaker.probe.owner}` : state;
}

describe("every breaker state × event", () => {
  const table: Readonly<Record<string, readonly string[]>> = {
    //                           ask               probe ok  probe bad other ok  other bad trip       reset
    closed: ["=", "closed", "closed", "closed", "closed", "stopped", "no: not-stopped"],
    "closed, one failure short": ["=", "closed", "open", "closed", "open", "stopped", "no: not-stopped"],
    "open, waiting": ["no: open", "=", "=", "=", "=", "stopped", "no: not-stopped"],
    "open, waited": ["half_open by w2", "=", "=", "=", "=", "stopped", "no: not-stopped"],
    "half open, probing": ["no: probing", "closed", "open", "=", "=", "stopped", "no: not-stopped"],
    "half open, probe lost": ["half_open by w2", "closed", "open", "=", "=", "stopped", "no: not-stopped"],
    stopped: ["no: stopped", "=", "=", "=", "=", "=", "closed"],
  };

  it.each(Object.entries(STATES))("%s", (name, breaker) => {
    expect(Object.values(EVENTS).map((event) => outcome(breaker, event))).toEqual(table[name]);
  });

  it("covers each of them", () => {
    expect(Object.keys(table)).toEqual(Object.keys(STATES));
    expect(new Set(Object.values(STATES).map(({ state }) => state)).size).toBe(4);
  });
});

describe("a stopped breaker [B7~]", () => {
  const stopped: Breaker = { state: "stopped", trip: TRIP };
  it.each<[string, Actor, string, string]>([
    ["an admin with a reason", ADMIN, "fixed", "closed"],
    ["an admin without a reason", ADMIN, "  ", "no: no-reason"],
    ["an approver", { ...ADMIN, roles: ["approver"] }, "fixed", "no: not-allowed"],
    ["the agent, whatever roles it claims", { ...ADMIN, kind: "agent" }, "fixed", "no: not-allowed"],
    ["a service", { ...ADMIN, kind: "service" }, "fixed", "no: not-allowed"],
    ["nobody", { ...ADMIN, id: "" }, "fixed", "no: not-allowed"],
  ])("is asked to reset by %s", (_who, by, reason, expected) => {
    expect(outcome(stopped, { type: "reset", by, reason })).toBe(expected);
  });

  it("stays so through any other events, and keeps its first cause", () => {
    const events = fc.constantFrom(...Object.values(EVENTS).filter(({ type }) => type !== "reset"));
    fc.assert(
      fc.property(fc.array(fc.tuple(events, fc.nat(1_000_000))), (steps) => {
        let breaker: Breaker = stopped;
        for (const [event, after] of steps) {
          const step = stepBreaker(breaker, event, NOW + after);
          if (step.ok) breaker = step.breaker;
          if (event.type === "ask") expect(step.ok).toBe(false);
        }
        expect(breaker).toEqual(stopped);
      }),
    );
  });
});

describe("health [B5~]", () => {
  const play = (reports: readonly (readonly [healthy: boolean, at: number])[]): Breaker => {
    let breaker: Breaker = CLOSED;
    for (const [healthy, at] of reports) {
      const step = stepBreaker(breaker, { type: "report", callId: "c", healthy, jitter: 0 }, at);
      if (step.ok) breaker = step.breaker;
    }
    return breaker;
  };
  const every = (count: number, gap: number, healthy: (n: number) => boolean) =>
    Array.from({ length: count }, (_, n): [boolean, number] => [healthy(n), n * gap]);

  it("opens at five failures in a row, at any pace", () => {
    expect(play(every(4, 100_000, () => false)).state).toBe("closed");
    expect(play(every(5, 100_000, () => false)).state).toBe("open");
  });

  it("opens at half of ten or more within a minute, and not below", () => {
    expect(play(every(9, 100, (n) => n % 2 === 1)).state).toBe("closed");
    expect(play(every(10, 100, (n) => n % 2 === 1)).state).toBe("open");
    expect(play(every(40, 100, (n) => n % 3 !== 0)).state).toBe("closed");
    expect(play(every(40, 20_000, (n) => n % 2 === 1)).state).toBe("closed");
  });

  it("waits 30 s, then twice as long with each failed probe, up to 10 minutes, spread by what is given", () => {
    expect([1, 2, 3, 4, 5, 6, 99].map((times) => openMs(times, 0) / 1_000)).toEqual([30, 60, 120, 240, 480, 600, 600]);
    expect([openMs(1, 0.5), openMs(1, 1), openMs(1, Number.NaN)]).toEqual([33_750, 37_500, 30_000]);
  });

  it("sends one probe for the whole fleet, and another only when its lease is over (trap 21)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(400)), { minLength: 1, maxLength: 100 }), (asks) => {
        let breaker: Breaker = { state: "open", opened: 1, until: NOW };
        const running: { readonly until: number }[] = [];
        let now = NOW;
        for (const [replica, after] of asks) {
          now += after;
          const event = { type: "ask", callId: `c${now}.${replica}`, owner: `w${replica}`, leaseMs: 1_000 } as const;
          const step = stepBreaker(breaker, event, now);
          if (!step.ok) continue;
          // Written under compare-and-set: whoever comes later reads this state.
          breaker = JSON.parse(JSON.stringify(step.breaker)) as Breaker;
          expect(running.every(({ until }) => until <= now)).toBe(true);
          running.push({ until: now + 1_000 });
        }
        expect(running.length).toBeGreaterThan(0);
      }),
    );
  });

  it("keeps bounded evidence, also when the clock jumps", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -200_000, max: 200_000 })), { maxLength: 200 }),
        (all) => {
          let breaker: Breaker = { state: "closed", evidence: NO_EVIDENCE };
          let now = NOW;
          for (const [healthy, by] of all) {
            now += by;
            const step = stepBreaker(breaker, { type: "report", callId: "c", healthy, jitter: 0 }, now);
            if (step.ok) breaker = step.breaker;
            if (breaker.state === "closed") expect(breaker.evidence.slices.length).toBeLessThanOrEqual(13);
          }
        },
      ),
    );
  });

  it("belongs to this very tool: one that was registered anew starts closed (trap 21)", () => {
    expect(breakerId("tool", "mail.send", "schema1")).not.toBe(breakerId("tool", "mail.send", "schema2"));
  });
});
