import { describe, expect, it } from "vitest";
import { type CallEvent, type CallRecord, type CallState, FINAL_STATES, stepCall } from "./lifecycle.ts";

function record(state: CallState, change: Partial<CallRecord> = {}): CallRecord {
  const executed = state === "executing" || state === "unknown" || state === "succeeded" || state === "failed";
  return {
    id: "call_1",
    version: 5,
    state,
    run: "run_1",
    root: "run_1",
    key: null,
    tool: "refund",
    agent: "bot",
    environment: "prod",
    proposed: "d1",
    digest: "d1",
    bytes: FINAL_STATES.includes(state) ? null : "{}",
    revision: "r1",
    approval: null,
    owner: executed ? "w1" : null,
    fence: executed ? 1 : 0,
    leaseUntil: state === "executing" ? 1_000 : null,
    createdAt: 0,
    updatedAt: 0,
    ...change,
  };
}

const STATES: readonly CallState[] = [
  "pending",
  "approved",
  "executing",
  "succeeded",
  "failed",
  "unknown",
  "denied",
  "expired",
];
const EVENTS: Readonly<Record<string, CallEvent>> = {
  approve: { type: "approve", digest: "d2", bytes: '{"a":1}', now: 10 },
  ask: { type: "ask", approval: "appr_2", revision: "r2", digest: "d2", bytes: "{}", now: 10 },
  deny: { type: "deny", now: 10 },
  expire: { type: "expire", now: 10 },
  claim: { type: "claim", owner: "w2", leaseUntil: 2_000, revision: "r2", now: 10 },
  succeed: { type: "finish", outcome: "succeeded", fence: 1, now: 10 },
  fail: { type: "finish", outcome: "failed", fence: 1, now: 10 },
  "end unclear": { type: "finish", outcome: "unknown", fence: 1, now: 10 },
  "succeed with another fence": { type: "finish", outcome: "succeeded", fence: 2, now: 10 },
  lose: { type: "lose", now: 10 },
  reconcile: { type: "reconcile", ran: true, now: 10 },
};

/** Every state × event that has an effect; all others must change nothing. */
const EFFECTS: Readonly<Record<string, CallState>> = {
  "pending × approve": "approved",
  "pending × ask": "pending",
  "pending × deny": "denied",
  "pending × expire": "expired",
  "approved × ask": "pending",
  "approved × deny": "denied",
  "approved × expire": "expired",
  "approved × claim": "executing",
  "executing × succeed": "succeeded",
  "executing × fail": "failed",
  "executing × end unclear": "unknown",
  "executing × lose": "unknown",
  "unknown × reconcile": "succeeded",
  "unknown × succeed": "succeeded",
  "unknown × fail": "failed",
  "unknown × end unclear": "unknown",
};

describe("call states × events", () => {
  const table = STATES.flatMap((state) => Object.keys(EVENTS).map((event) => [state, event] as const));
  it.each(table)("%s × %s", (state, name) => {
    const before = record(state);
    const event = EVENTS[name];
    if (event === undefined) throw new Error(name);
    const step = stepCall(before, event);
    const expected = EFFECTS[`${state} × ${name}`];
    if (expected === undefined) {
      expect(step.ok).toBe(false);
    } else {
      expect(step).toMatchObject({ ok: true, call: { state: expected, version: 6, updatedAt: 10 } });
    }
  });

  it("drops the exact arguments once the call is final, and keeps them while it is not", () => {
    for (const state of STATES) {
      for (const event of Object.values(EVENTS)) {
        const step = stepCall(record(state), event);
        if (step.ok) expect(step.call.bytes === null).toBe(FINAL_STATES.includes(step.call.state));
      }
    }
  });
});

/*
 * Exhaustive search over two workers, two crashes, lease expiry, an edit, a deny and late answers, on the real reducer
 * (calls.md, States). The world outside the reducer is small: a tool that counts, and workers that do one step at a time.
 */
interface Worker {
  readonly at: "idle" | "holds-claim" | "acted" | "dead";
  readonly fence: number;
  /** What it read before its claim; a claim without compare-and-set would trust it. */
  readonly seen: CallRecord | null;
}

interface World {
  readonly call: CallRecord;
  readonly workers: readonly Worker[];
  /** Digests that the tool was really run with, in order. */
  readonly ran: readonly string[];
  readonly crashes: number;
  /** A person's last word: the digest that may run, or none. */
  readonly permitted: string | null;
  readonly closed: "denied" | "expired" | null;
  /** A worker's report said for sure that the tool did not act. */
  readonly reportedFailed: boolean;
}

type Reducer = typeof stepCall;
interface Rules {
  readonly step: Reducer;
  /** Whether a write checks the version that it was computed from. */
  readonly compareAndSet: boolean;
  /** Whether "not found" from the tool's look-up settles a call whose owner may still act. */
  readonly believesLookUp: boolean;
}

const REAL: Rules = { step: stepCall, compareAndSet: true, believesLookUp: false };

function start(): World {
  const worker: Worker = { at: "idle", fence: 0, seen: null };
  return {
    call: record("pending", { version: 1 }),
    workers: [worker, worker],
    ran: [],
    crashes: 0,
    permitted: null,
    closed: null,
    reportedFailed: false,
  };
}

function apply(world: World, rules: Rules, event: CallEvent, from: CallRecord = world.call): CallRecord | null {
  if (rules.compareAndSet && from.version !== world.call.version) return null;
  const step = rules.step(from, event);
  return step.ok ? step.call : null;
}

function put<Item>(items: readonly Item[], index: number, item: Item): Item[] {
  return items.map((old, position) => (position === index ? item : old));
}

function* moves(world: World, rules: Rules): Generator<World> {
  for (const digest of ["d1", "edited"]) {
    const approved = apply(world, rules, { type: "approve", digest, bytes: "{}", now: 1 });
    if (approved) yield { ...world, call: approved, permitted: digest };
  }
  for (const [type, closed] of [
    ["deny", "denied"],
    ["expire", "expired"],
  ] as const) {
    const ended = apply(world, rules, { type, now: 1 });
    if (ended) yield { ...world, call: ended, permitted: null, closed };
  }
  const lost = apply(world, rules, { type: "lose", now: 1 });
  if (lost) yield { ...world, call: lost };
  if (rules.believesLookUp && world.call.state === "unknown" && world.ran.length === 0) {
    yield { ...world, call: { ...world.call, state: "approved", version: world.call.version + 1 } };
  }
  for (const [index, worker] of world.workers.entries()) yield* workerMoves(world, rules, index, worker);
}

function* workerMoves(world: World, rules: Rules, index: number, worker: Worker): Generator<World> {
  const become = (next: Worker, change: Partial<World> = {}): World => ({
    ...world,
    ...change,
    workers: put(world.workers, index, next),
  });
  if (worker.at !== "dead" && world.crashes < 2)
    yield { ...become({ ...worker, at: "dead" }), crashes: world.crashes + 1 };
  if (worker.at === "idle") {
    if (world.call.state === "approved" && worker.seen === null) yield become({ ...worker, seen: world.call });
    if (worker.seen !== null) {
      const event: CallEvent = { type: "claim", owner: `w${index}`, leaseUntil: 1, revision: "r1", now: 1 };
      const claimed = apply(world, rules, event, worker.seen);
      if (claimed) yield become({ at: "holds-claim", fence: claimed.fence, seen: worker.seen }, { call: claimed });
      else yield become({ ...worker, seen: null });
    }
  }
  if (worker.at === "holds-claim")
    yield become({ ...worker, at: "acted" }, { ran: [...world.ran, worker.seen?.digest ?? "?"] });
  if (worker.at === "acted") {
    const done = apply(world, rules, { type: "finish", outcome: "succeeded", fence: worker.fence, now: 1 });
    if (done) yield become({ at: "idle", fence: 0, seen: null }, { call: done });
    else yield become({ at: "idle", fence: 0, seen: null });
  }
}

function violation(world: World): string | null {
  if (world.ran.length > 1) return "ran twice";
  const [digest] = world.ran;
  if (digest !== undefined && digest !== world.permitted) return `ran with ${digest}, permitted was ${world.permitted}`;
  if (world.closed !== null && world.ran.length > 0) return `ran although it was ${world.closed}`;
  if (world.ran.length > 0 && world.call.state === "failed") return "ran and was called failed";
  return null;
}

function search(rules: Rules): { states: number; violation: string | null } {
  const seen = new Set<string>();
  const queue: World[] = [start()];
  for (const world of queue) {
    const key = JSON.stringify(world);
    if (seen.has(key)) continue;
    seen.add(key);
    const fault = violation(world);
    if (fault !== null) return { states: seen.size, violation: fault };
    if (seen.size > 100_000) throw new Error("the search does not end");
    queue.push(...moves(world, rules));
  }
  return { states: seen.size, violation: null };
}

const mutant = (change: (call: CallRecord, event: CallEvent, real: Reducer) => ReturnType<Reducer>): Rules => ({
  ...REAL,
  step: (call, event) => change(call, event, stepCall),
});
const forced = (call: CallRecord, change: Partial<CallRecord>): ReturnType<Reducer> => ({
  ok: true,
  call: { ...call, ...change, version: call.version + 1 },
});

describe("exhaustive search over the call reducer", () => {
  it("finds no way to run a call twice, with other arguments, or after a deny or expiry [A1~]", () => {
    const result = search(REAL);
    console.log(`call reducer: ${result.states} states`);
    expect(result.violation).toBeNull();
    expect(result.states).toBeGreaterThan(100);
  });

  const mutants: readonly (readonly [name: string, rules: Rules, fault: RegExp])[] = [
    [
      "back to approved when the lease is over",
      mutant((call, event, real) =>
        event.type === "lose" && call.state === "executing" ? forced(call, { state: "approved" }) : real(call, event),
      ),
      /twice|although|permitted/,
    ],
    ["a claim without compare-and-set", { ...REAL, compareAndSet: false }, /twice|although|permitted/],
    [
      "a late approval is accepted",
      mutant((call, event, real) =>
        event.type === "approve" && (call.state === "expired" || call.state === "denied")
          ? forced(call, { state: "approved", digest: event.digest, bytes: event.bytes })
          : real(call, event),
      ),
      /although/,
    ],
    [
      "an unknown outcome is guessed as failed",
      mutant((call, event, real) =>
        event.type === "lose" && call.state === "executing"
          ? forced(call, { state: "failed", bytes: null })
          : real(call, event),
      ),
      /failed/,
    ],
    ["a look-up is believed while the old owner may still act", { ...REAL, believesLookUp: true }, /twice|permitted/],
  ];
  it.each(mutants)("catches the shortcut: %s", (_name, rules, fault) => {
    expect(search(rules).violation).toMatch(fault);
  });
});
