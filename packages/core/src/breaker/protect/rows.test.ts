import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { LOOP_DEFAULTS } from "../../detectors.ts";
import type { StateKind, StateRows } from "../../ports.ts";
import type { Json } from "../../value/json.ts";
import { actIn, actKey } from "../loop/acts.ts";
import { stepAgent } from "../loop/agent.ts";
import { newRun, timesOf, withFinished, withProposed } from "../loop/history.ts";
import { agentRowId, ProtectionRows } from "./rows.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AGENT = agentRowId("prod", "support");
const keyOf = (name: string) => createHash("md5").update(name).digest("hex");
const mailTo = (...recipients: readonly string[]) =>
  ({ tool: "mail", kind: "write", callKey: keyOf("call"), identityKey: null, recipients }) as const;

/** As stores of version 2 counted the calls `a` and `b`. */
const EARLIER_KEYS: Readonly<Record<string, number>> = {
  [keyOf("a")]: 2553969303758029,
  [keyOf("b")]: 23809755221667,
};

/** Rows as a store keeps them: nothing but JSON survives, and what is written is counted. */
class JsonRows implements StateRows {
  readonly kept = new Map<string, string>();
  written: { readonly id: string; readonly bytes: number }[] = [];

  get(kind: StateKind, id: string): Json | undefined {
    const text = this.kept.get(`${kind} ${id}`);
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  }

  put(kind: StateKind, id: string, value: Json): void {
    const text = JSON.stringify(value);
    if (value === null) this.kept.delete(`${kind} ${id}`);
    else this.kept.set(`${kind} ${id}`, text);
    this.written.push({ id, bytes: text.length });
  }
}

/** A proposed call to these recipients; the detectors that spoke. */
function mail(stored: StateRows, now: number, ...recipients: readonly string[]): readonly string[] {
  const rows = new ProtectionRows(stored, now);
  const keys = mailTo(...recipients);
  const step = stepAgent(rows.agent(AGENT, keys), { type: "proposed", keys }, now, LOOP_DEFAULTS);
  rows.setAgent(AGENT, step.state, LOOP_DEFAULTS.rate.withinMs);
  return step.findings.map(({ detector }) => detector);
}

/** The same without recipients. */
function call(stored: StateRows, now: number, tool: string): readonly string[] {
  const rows = new ProtectionRows(stored, now);
  const keys = { ...mailTo(), tool };
  const step = stepAgent(rows.agent(AGENT, keys), { type: "proposed", keys }, now, LOOP_DEFAULTS);
  rows.setAgent(AGENT, step.state, LOOP_DEFAULTS.rate.withinMs);
  return step.findings.map(({ key }) => key);
}

describe("how often an agent calls", () => {
  const { calls, withinMs } = LOOP_DEFAULTS.rate;

  it("costs a call one small row, however many tools there are, and counts each tool alone [B1~]", () => {
    const stored = new JsonRows();
    for (let n = 0; n < calls; n++) {
      stored.written = [];
      expect(call(stored, 1, "mail")).toEqual([]);
      if (n < 300) expect(call(stored, 1, `tool${n}`)).toEqual([]);
      for (const { bytes } of stored.written) expect(bytes).toBeLessThan(300);
      expect(stored.written.length).toBe(n < 300 ? 2 : 1);
    }
    expect(call(stored, 1, "mail")).toEqual(["rate:mail"]);
    expect(call(stored, 1, "tool1")).toEqual([]);
    expect(call(stored, 2 + withinMs, "mail")).toEqual([]);
  });

  it("is read from the row of an older store, and goes on counting", () => {
    const stored = new JsonRows();
    const slices = [{ start: 1, calls: calls - 1 }];
    const fresh = [{ start: 1, calls: LOOP_DEFAULTS.novelty.recipients }];
    stored.put("agent", AGENT, { tools: [["mail", slices]], fresh, trips: [], approved: {} } as object as Json);
    expect(call(stored, 2, "other")).toEqual([]);
    expect(call(stored, 2, "mail")).toEqual([]);
    expect(call(stored, 2, "mail")).toEqual(["rate:mail"]);
    expect(stored.kept.get(`agent ${AGENT}`)).not.toContain("tools");
    expect(mail(stored, 2, keyOf("new@x.com"))).toContain("novelty");
  });

  it.each(["agent", "rate"])("is no count where the row of the %s is none: the call is denied", (which) => {
    const stored = new JsonRows();
    call(stored, 1, "mail");
    stored.put("agent", which === "agent" ? AGENT : `${AGENT} rate mail`, { other: 1 });
    expect(() => call(stored, 1, "mail")).toThrow();
  });
});

describe("whom an agent wrote to", () => {
  it("costs a call the same however many are known, and stays bounded [B1~]", () => {
    const stored = new JsonRows();
    const most = { rows: 0, bytes: 0 };
    for (let n = 0; n < 6_000; n++) {
      stored.written = [];
      mail(stored, n * HOUR, keyOf(`${n}@x.com`));
      most.rows = Math.max(most.rows, stored.written.length);
      most.bytes = Math.max(
        most.bytes,
        stored.written.reduce((sum, { bytes }) => sum + bytes, 0),
      );
    }
    expect(most.rows).toBe(3);
    expect(most.bytes).toBeLessThan(2_000);
    const size = [...stored.kept.values()].reduce((sum, text) => sum + text.length, 0);
    expect(size).toBeLessThan(400_000);
    // The latest are known, those of long ago are new once more.
    const now = 6_001 * HOUR;
    const limit = LOOP_DEFAULTS.novelty.recipients;
    const latest = Array.from({ length: limit + 1 }, (_, at) => keyOf(`${5_999 - at}@x.com`));
    const earliest = Array.from({ length: limit + 1 }, (_, at) => keyOf(`${at}@x.com`));
    expect(mail(stored, now, ...latest)).toEqual([]);
    expect(mail(stored, now, ...earliest)).toEqual(["novelty"]);
  });

  it("is read from the row of an older store, once, and nobody becomes new by that", () => {
    const stored = new JsonRows();
    const known = Array.from({ length: 2_000 }, (_, n) => keyOf(`${n}@x.com`));
    const earlier = Object.fromEntries(known.map((key) => [key, { since: DAY, calls: [DAY] }]));
    stored.put("agent", `${AGENT} recipients`, earlier);
    stored.put("agent", AGENT, { tools: [], trips: [], approved: {} });
    expect(mail(stored, 2 * DAY, ...known.slice(0, 60))).toEqual([]);
    expect(stored.get("agent", `${AGENT} recipients`)).toBeUndefined();
    for (let from = 60; from < 2_000; from += 60) {
      expect(mail(stored, 2 * DAY + 1, ...known.slice(from, from + 60))).toEqual([]);
    }
    const strangers = Array.from({ length: 21 }, (_, n) => keyOf(`${n}@y.com`));
    expect(mail(stored, 2 * DAY + 2, ...strangers)).toEqual(["novelty"]);
  });
});

describe("what a run did", () => {
  const call = (n: number, identity = `act ${n}`) =>
    ({
      tool: "pay",
      kind: "write",
      callKey: keyOf(`call ${n}`),
      identityKey: keyOf(identity),
      recipients: [],
    }) as const;

  /** A call that is proposed and succeeds; whether its act was known before. */
  function done(stored: StateRows, n: number, identity?: string): boolean {
    const keys = call(n, identity);
    const at = n * HOUR;
    const before = new ProtectionRows(stored, at);
    const run = before.run("run_1", keys);
    const known = actIn(run.history.acts, actKey(keys)) !== undefined;
    const history = withProposed(run.history, { callId: `call_${n}`, keys, at }, false);
    before.setRun("run_1", { ...run, history });
    const rows = new ProtectionRows(stored, at);
    const print = {
      ...keys,
      callId: `call_${n}`,
      at,
      resultKey: keyOf(`${n}`),
      minHash: "",
      errorClass: null,
    } as const;
    const opened = rows.run("run_1", print);
    const outcome = { ...print, outcome: "succeeded" } as const;
    rows.setRun("run_1", { ...opened, history: withFinished(opened.history, outcome) });
    return known;
  }

  it("costs a call the same however much it was, and stays bounded [B1~]", () => {
    const stored = new JsonRows();
    const most = { rows: 0, bytes: 0 };
    for (let n = 0; n < 1_500; n++) {
      stored.written = [];
      expect(done(stored, n)).toBe(false);
      most.rows = Math.max(most.rows, stored.written.length);
      most.bytes = Math.max(most.bytes, ...stored.written.map(({ bytes }) => bytes));
    }
    // Twice the run's row and the one with this call's act, which these rows give out as a copy each time.
    expect(most.rows).toBe(4);
    expect(most.bytes).toBeLessThan(8_000);
    expect([...stored.kept.values()].join("").length).toBeLessThan(100_000);
    // The latest are known, whatever the call is named.
    for (let n = 1_400; n < 1_500; n++) expect(done(stored, n + 1_000, `act ${n}`)).toBe(true);
  });

  it("is read from the row of an older store, and stays known", () => {
    const stored = new JsonRows();
    const acts = Array.from({ length: 200 }, (_, n) => [
      keyOf(`act ${n}`),
      { callId: `call_${n}`, at: n, outcome: n % 2 === 0 ? "succeeded" : "unknown" },
    ]);
    const history = { ...newRun(0), acts };
    stored.put("run", "run_1", JSON.parse(JSON.stringify({ history, usd: { held: "0", spent: "0" } })) as Json);
    expect(done(stored, 1_000, "act 3")).toBe(true);
    expect(stored.kept.get("run run_1")).not.toContain("acts");
    for (let n = 0; n < 200; n++) {
      const { acts: known } = new ProtectionRows(stored, HOUR).run("run_1", call(n)).history;
      expect(actIn(known, keyOf(`act ${n}`))).toBeDefined();
    }
  });

  it("is no act where the row is none: the call is denied", () => {
    const stored = new JsonRows();
    done(stored, 1);
    for (const key of stored.kept.keys()) if (key.startsWith("act ")) stored.kept.set(key, '{"acts":1}');
    expect(() => done(stored, 2, "act 1")).toThrow(TypeError);
  });
});

describe("a run of an older store", () => {
  const pairs = [
    [keyOf("a"), 24],
    [keyOf("b"), 3],
  ] as const;
  // By the numbers that `countKey` gave.
  const numbers = pairs.flatMap(([key, times]) => [EARLIER_KEYS[key] ?? 0, times]);

  it.each([
    ["whole keys", pairs],
    ["numbers", numbers],
  ])("keeps how often each call was made: %s", (_how, counts) => {
    const stored = new JsonRows();
    const { counts: _none, acts: _rows, ...history } = newRun(0);
    const usd = { held: "0", spent: "0" };
    stored.put("run", "run_1", JSON.parse(JSON.stringify({ history: { ...history, counts }, usd })) as Json);
    const read = new ProtectionRows(stored, 1).run("run_1").history;
    expect([timesOf(read, keyOf("a")), timesOf(read, keyOf("b")), timesOf(read, keyOf("c"))]).toEqual([24, 3, 0]);
    const next = withProposed(read, { callId: "call_1", keys: { ...mailTo(), callKey: keyOf("a") }, at: 1 }, false);
    expect(timesOf(next, keyOf("a"))).toBe(25);
  });
});
