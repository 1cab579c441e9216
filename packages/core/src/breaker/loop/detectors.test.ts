import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { LOOP_DEFAULTS, type LoopSettings } from "../../detectors.ts";
import type { Hash } from "../../ports.ts";
import type { ToolTraits } from "../../traits.ts";
import { ScriptedRun, said } from "../testing/scripted-run.ts";
import { newAgent, stepAgent } from "./agent.ts";
import { type Finding, findingDigest, severest } from "./finding.ts";
import { recheckRun } from "./step.ts";

const hash: Hash = { sha256: (bytes) => createHash("sha256").update(bytes).digest() };

const TOOLS: Readonly<Record<string, ToolTraits>> = {
  search: { kind: "read" },
  list: { kind: "read", paginate: "cursor" },
  status: { kind: "read", poll: { everyMs: 5_000, forMs: 60_000 } },
  page: { kind: "read", progress: "$.at" },
  edit: { kind: "write" },
  pay: { kind: "write", identity: ["order"] },
  mail: { kind: "write", recipients: ["to[]"] },
  think: { kind: "none" },
};

const run = (settings: Partial<LoopSettings> = {}) => new ScriptedRun(TOOLS, hash, settings);
const times = <Value>(count: number, make: (at: number) => Value): Value[] =>
  Array.from({ length: count }, (_, at) => make(at));
const QUIET: readonly string[] = [];

describe("repeat [B1~]", () => {
  it("refuses a read after three equal results, a write after two, and trips the run the next time", () => {
    const reading = run();
    for (let n = 0; n < 3; n++) expect(said(reading.call("search", { q: "x" }))).toEqual(QUIET);
    expect(said(reading.call("search", { q: "x" }))).toEqual(["repeat:deny"]);
    expect(said(reading.call("search", { q: "x" }))).toEqual(["repeat:trip_run"]);

    const writing = run();
    for (let n = 0; n < 2; n++) expect(said(writing.call("edit", { to: 1 }, { error: "invalid" }))).toEqual(QUIET);
    expect(said(writing.call("edit", { to: 1 }))).toEqual(["repeat:deny"]);
  });

  it("does not mind other results, other arguments or calls that lie far back (trap 20)", () => {
    const paging = run();
    for (let n = 0; n < 20; n++)
      expect(said(paging.call("search", { q: "x" }, { result: `page ${n}` }))).toEqual(QUIET);
    const far = run();
    for (let n = 0; n < 8; n++) {
      expect(said(far.call("search", { q: "x" }))).toEqual(QUIET);
      for (let other = 0; other < 6; other++) far.call("search", { q: `${n}.${other}` }, { result: `${n}.${other}` });
    }
  });

  it("counts calls that are still in flight", () => {
    const parallel = run();
    const [, , third] = times(3, () => parallel.propose("edit", { to: 1 }));
    expect(said(third?.findings ?? [])).toEqual(["repeat:deny"]);
  });

  it("lets a sleep beside a moving poll pass, and a sleep beside nothing not", () => {
    const moving = run();
    for (let n = 0; n < 10; n++) {
      expect(said(moving.call("page", { handle: 1 }, { result: `building ${n}/40` }))).toEqual(QUIET);
      expect(said(moving.call("search", { sleep: 5 }, { result: "" }))).toEqual(QUIET);
    }
    const stuck = run();
    const found = times(10, () => [
      ...stuck.call("page", { handle: 1 }, { result: "building 1/40" }),
      ...stuck.call("search", { sleep: 5 }, { result: "" }),
    ]).flat();
    expect(said(found)).toContain("repeat:deny");
  });

  it("leaves rate limits to the health breaker", () => {
    const limited = run();
    const found = times(10, () => limited.call("search", { q: "x" }, { error: "rate_limit", result: "429" })).flat();
    expect(said(found)).toEqual(QUIET);
  });
});

describe("cycle [B1~]", () => {
  it.each([2, 3, 6])("finds three equal rounds of %i calls", (period) => {
    const looping = run({ repeat: { ...LOOP_DEFAULTS.repeat, mode: "observe", same: 99 } });
    for (let n = 0; n < 3 * period; n++) {
      expect(said(looping.call("search", { q: n % period }, { result: `answer ${n % period}` }))).toEqual(QUIET);
    }
    expect(said(looping.call("search", { q: 0 }))).toEqual(["cycle:deny"]);
    expect(said(looping.call("search", { q: 0 }))).toEqual(["cycle:trip_run"]);
  });

  it("does not mind a round in which one result moves, or a call that leaves the round", () => {
    const polling = run();
    for (let n = 0; n < 12; n++) expect(said(polling.call("search", { q: n % 2 }, { result: `${n}` }))).toEqual(QUIET);
    const leaving = run({ repeat: { ...LOOP_DEFAULTS.repeat, same: 99 } });
    for (let n = 0; n < 9; n++) leaving.call("search", { q: n % 3 });
    expect(said(leaving.call("search", { q: "new" }))).toEqual(QUIET);
  });
});

describe("similar [B1~]", () => {
  const text = (n: number) => `${"the same long page with many words that stay as they are ".repeat(1)}and line ${n}`;

  it("asks after four nearly equal results in a row, or three without the declared progress", () => {
    const near = run();
    for (let n = 0; n < 4; n++) expect(said(near.call("search", { q: "x" }, { result: text(n) }))).toEqual(QUIET);
    expect(said(near.call("search", { q: "x" }, { result: text(5) }))).toEqual(["similar:pause"]);

    const stuck = run({ repeat: { ...LOOP_DEFAULTS.repeat, same: 99 } });
    for (let n = 0; n < 3; n++) {
      expect(said(stuck.call("page", { go: 1 }, { result: { at: 7, view: `picture${n} of ${n}` } }))).toEqual(QUIET);
    }
    expect(said(stuck.call("page", { go: 1 }))).toEqual(["similar:pause"]);
  });

  it("does not mind another call in between, or results that differ", () => {
    const between = run();
    for (let n = 0; n < 12; n++) {
      expect(said(between.call("search", { q: n % 2 }, { result: text(n) }))).toEqual(QUIET);
    }
    const apart = run();
    for (let n = 0; n < 12; n++) {
      expect(said(apart.call("search", { q: "x" }, { result: `item${n} cost${n} stock${n} shelf${n}` }))).toEqual(
        QUIET,
      );
    }
  });
});

describe("errors, varied, raw [B1~]", () => {
  it("asks after five failures of one kind and stops the run at eight", () => {
    const failing = run({ repeat: { ...LOOP_DEFAULTS.repeat, writes: 99 } });
    for (let n = 0; n < 5; n++) expect(said(failing.call("edit", { n }, { error: "invalid" }))).toEqual(QUIET);
    const asked = failing.call("edit", { n: 5 }, { error: "invalid" });
    expect(said(asked)).toEqual(["errors:pause"]);
    failing.approve(asked);
    for (let n = 6; n < 9; n++) expect(said(failing.call("edit", { n }, { error: "invalid" }))).toEqual(QUIET);
    expect(said(failing.call("edit", { n: 9 }))).toEqual(["errors:trip_run"]);
    expect(said(failing.call("search", { q: 1 }))).toEqual(QUIET);
  });

  it("starts anew with a success of the tool or another kind of error, and leaves health to the health breaker", () => {
    const mixed = run();
    for (let n = 0; n < 20; n++) {
      expect(said(mixed.call("edit", { n }, { error: n % 4 === 3 ? "conflict" : "invalid" }))).toEqual(QUIET);
    }
    const ill = run();
    for (let n = 0; n < 20; n++) expect(said(ill.call("edit", { n }, { error: "server_error" }))).toEqual(QUIET);
  });

  it("asks after one answer to five questions of a reading tool, not of a writing or a paging one", () => {
    const asking = run();
    for (let n = 0; n < 5; n++) expect(said(asking.call("search", { q: n }, { result: [] }))).toEqual(QUIET);
    expect(said(asking.call("search", { q: 9 }, { result: [] }))).toEqual(["varied:pause"]);
    for (const tool of ["edit", "list"]) {
      const other = run();
      for (let n = 0; n < 9; n++) expect(said(other.call(tool, { q: n }, { result: [] }))).toEqual(QUIET);
    }
  });

  it("asks after 25 equal calls in a run, whatever they gave and whoever spoke", () => {
    const often = run();
    for (let n = 0; n < 25; n++) {
      if (n === 20) often.person();
      expect(said(often.call("search", { q: "x" }, { result: `result${n}` }))).toEqual(QUIET);
    }
    expect(said(often.call("search", { q: "x" }))).toEqual(["raw:pause"]);
    const paging = run();
    for (let n = 0; n < 60; n++) expect(said(paging.call("list", { l: 1 }, { result: `result${n}` }))).toEqual(QUIET);
  });
});

describe("declared polls [B1~]", () => {
  it("may ask the same and hear the same, as often and as long as declared (trap 20)", () => {
    const polling = run();
    for (let n = 0; n < 12; n++) expect(said(polling.call("status", { id: 1 }, { after: 5 }))).toEqual(QUIET);
    // The minute since the first is over.
    polling.call("status", { id: 1 }, { after: 5 });
    expect(said(polling.call("status", { id: 1 }, { after: 5 }))).toContain("repeat:deny");
  });

  it("are loops like others when they are too fast", () => {
    const hasty = run();
    const found = times(6, () => hasty.call("status", { id: 1 }, { after: 1 })).flat();
    expect(said(found)[0]).toBe("repeat:deny");
  });
});

describe("what clears the windows [B1~]", () => {
  const after = (act: (run: ScriptedRun) => unknown): readonly string[] => {
    const looping = run();
    looping.call("edit", { file: "old" });
    for (let n = 0; n < 3; n++) looping.call("search", { q: "x" });
    act(looping);
    return said(looping.call("search", { q: "x" }));
  };

  it.each<[string, (run: ScriptedRun) => unknown, readonly string[]]>([
    ["nothing", () => undefined, ["repeat:deny"]],
    ["a message from a person", (one) => one.person(), QUIET],
    ["a write that is new in the run", (one) => one.call("edit", { file: "new" }), QUIET],
    ["a write that was made before", (one) => one.call("edit", { file: "old" }), ["repeat:deny"]],
    ["a write that failed", (one) => one.call("edit", { file: "new" }, { error: "invalid" }), ["repeat:deny"]],
    [
      "a write that may have failed",
      (one) => one.call("edit", { file: "new" }, { outcome: "unknown" }),
      ["repeat:deny"],
    ],
    ["another read", (one) => one.call("search", { q: "y" }), ["repeat:deny"]],
    ["thinking", (one) => times(12, (n) => one.call("think", { n })), ["repeat:deny"]],
  ])("%s", (_what, act, expected) => {
    expect(after(act)).toEqual(expected);
  });
});

describe("denials [B1~]", () => {
  it("stop the run at five a minute, or three of one rule at any pace", () => {
    const many = run();
    const found = times(5, (n) => many.deny(many.propose("edit", { n }, { after: 1 }).callId, "edit", [`rule${n}`]));
    expect(found.map(said)).toEqual([[], [], [], [], ["denials:trip_run"]]);
    const slow = run();
    const one = times(3, (n) => slow.deny(slow.propose("edit", { n }, { after: 300 }).callId, "edit", ["no-refund"]));
    expect(one.map(said)).toEqual([[], [], ["denials:trip_run"]]);
  });

  it("start anew when a person spoke, and do not count the breakers' own", () => {
    const asked = run();
    for (let n = 0; n < 6; n++) {
      expect(asked.deny(asked.propose("edit", { n }).callId, "edit", ["no-refund"])).toEqual([]);
      if (n % 2 === 1) asked.person();
    }
    const own = run();
    for (let n = 0; n < 9; n++)
      expect(own.deny(own.propose("edit", { n }).callId, "edit", ["breaker:raw"])).toEqual([]);
  });
});

describe("duplicate write [B1~]", () => {
  it("asks before the same business act once more, in whatever words, and names the earlier call", () => {
    const paying = run();
    expect(said(paying.call("pay", { order: "A1", note: "first" }))).toEqual(QUIET);
    const [found] = paying.call("pay", { order: "A1", note: "please" });
    expect(found).toMatchObject({ detector: "duplicate", reaction: "pause", calls: ["call_0"] });
    expect(said(paying.call("pay", { order: "A2" }))).toEqual(QUIET);
  });

  it("counts acts in flight, acts that may have happened, acts of another run, and no failed ones", () => {
    const flying = run();
    flying.propose("pay", { order: "A1" });
    expect(said(flying.propose("pay", { order: "A1", note: 2 }).findings)).toEqual(["duplicate:pause"]);
    const unsure = run();
    unsure.call("pay", { order: "A1" }, { outcome: "unknown", error: "timeout" });
    expect(said(unsure.call("pay", { order: "A1" }))).toEqual(["duplicate:pause"]);
    const earlier = { callId: "call_of_yesterday", at: 0, outcome: "succeeded" } as const;
    expect(said(run().call("pay", { order: "A1" }, { earlier }))).toEqual(["duplicate:pause"]);
    const failed = run();
    failed.call("pay", { order: "A1" }, { error: "invalid" });
    expect(said(failed.call("pay", { order: "A1" }))).toEqual(QUIET);
  });
});

describe("a call that waited", () => {
  const recheck = (one: ScriptedRun, callId: string, order: string) => {
    const [keys, traits] = [one.keys("pay", { order }), one.traits("pay")];
    const event = {
      type: "proposed",
      callId,
      keys,
      traits,
      spending: { depth: 0, usdMicros: null },
      earlier: null,
    } as const;
    return said(recheckRun(one.state, event, one.now, one.settings));
  };

  it("is judged once more: what was approved is silent, what happened meanwhile is not", () => {
    const paying = run();
    paying.call("pay", { order: "A1" });
    const waiting = paying.propose("pay", { order: "A1" });
    expect(said(waiting.findings)).toEqual(["duplicate:pause"]);
    expect(recheck(paying, waiting.callId, "A1")).toEqual(["duplicate:pause"]);
    paying.approve(waiting.findings);
    expect(recheck(paying, waiting.callId, "A1")).toEqual(QUIET);
    paying.finish("call_meanwhile", paying.keys("pay", { order: "A1", note: "meanwhile" }));
    expect(recheck(paying, waiting.callId, "A1")).toEqual(["duplicate:pause"]);
  });

  it("whose duplicate was approved once is asked about the next time", () => {
    const paying = run();
    paying.call("pay", { order: "A1" });
    const second = paying.propose("pay", { order: "A1" });
    paying.approve(second.findings);
    paying.finish(second.callId, second.keys);
    expect(said(paying.call("pay", { order: "A1", note: 3 }))).toEqual(["duplicate:pause"]);
  });

  it("has an approval that is bound to the loop and not to its count", () => {
    const [one] = run({ raw: { ...LOOP_DEFAULTS.raw, calls: 0 } }).call("search", { q: "x" });
    const [other] = run({ raw: { ...LOOP_DEFAULTS.raw, calls: 0 } }).call("search", { q: "y" });
    if (one === undefined || other === undefined) throw new Error("a limit of 0 is reached at once");
    expect(findingDigest({ ...one, count: 9, text: "" }, hash)).toBe(findingDigest(one, hash));
    expect(findingDigest({ ...one, limit: 9 }, hash)).not.toBe(findingDigest(one, hash));
    expect(findingDigest(other, hash)).not.toBe(findingDigest(one, hash));
  });
});

describe("caps", () => {
  it("ask once at 80 % and stop the run at 100 % [B2~]", () => {
    const long = run({ caps: { ...LOOP_DEFAULTS.caps, calls: 10 } });
    for (let n = 0; n < 8; n++) expect(said(long.call("search", { n }, { result: n }))).toEqual(QUIET);
    const asked = long.call("search", { n: 8 });
    expect(said(asked)).toEqual(["caps:pause"]);
    long.approve(asked);
    expect(said(long.call("search", { n: 9 }, { result: 9 }))).toEqual(QUIET);
    expect(said(long.call("search", { n: 10 }))).toEqual(["caps:trip_run"]);
  });

  it("count minutes, money and depth", () => {
    const at = (usdMicros: bigint | null, depth = 0) =>
      said(run().call("search", {}, { spending: { usdMicros, depth } }));
    expect([at(null), at(3_999_999n), at(4_000_000n), at(5_000_000n)]).toEqual([
      [],
      [],
      ["caps:pause"],
      ["caps:trip_run"],
    ]);
    expect([at(null, 5), at(null, 6)]).toEqual([[], ["caps:trip_run"]]);
    expect([47, 48, 60].map((minutes) => said(run().call("search", {}, { after: minutes * 60 })))).toEqual([
      [],
      ["caps:pause"],
      ["caps:trip_run"],
    ]);
  });
});

describe("rate, novelty, trips [B1~]", () => {
  const mail = (to: readonly string[]) => ({ type: "proposed", keys: run().keys("mail", { to }) }) as const;

  it("ask at the sixth mail to one recipient in a minute, the 1,001st call of a tool, the 21st new recipient in an hour", () => {
    let agent = newAgent();
    const step = (event: Parameters<typeof stepAgent>[1], now: number): readonly Finding[] => {
      const result = stepAgent(agent, event, now, LOOP_DEFAULTS);
      agent = JSON.parse(JSON.stringify(result.state)) as typeof agent;
      return result.findings;
    };
    const storm = times(6, (n) => said(step(mail(["a@x.com"]), n * 1_000)));
    expect(storm.slice(4)).toEqual([[], ["rate:pause"]]);
    expect(said(step(mail(["a@x.com"]), 120_000))).toEqual(QUIET);
    const fresh = times(20, (n) => said(step(mail([`${n}@y.com`]), 200_000 + n * 60_000)));
    expect(fresh.slice(18)).toEqual([[], ["novelty:pause"]]);
    expect(said(step(mail(["1@y.com"]), 1_500_000))).toEqual(QUIET);
    const bulk = newAgent();
    expect(said(stepAgent(bulk, mail(times(21, (n) => `${n}@z.com`)), 0, LOOP_DEFAULTS).findings)).toEqual([
      "novelty:pause",
    ]);
    agent = newAgent();
    const often = times(1_001, (n) => said(step({ type: "proposed", keys: run().keys("search", { n }) }, n)));
    expect(often.slice(999)).toEqual([[], ["rate:pause"]]);
  });

  it("stop the agent after three stopped runs in ten minutes", () => {
    let agent = newAgent();
    const trip = (name: string, minute: number) => {
      const event = { type: "run_tripped", run: name, principal: name } as const;
      const result = stepAgent(agent, event, minute * 60_000, LOOP_DEFAULTS);
      agent = result.state;
      return said(result.findings);
    };
    expect([trip("a", 0), trip("a", 1), trip("b", 2), trip("c", 20), trip("d", 21), trip("e", 22)]).toEqual([
      [],
      [],
      [],
      [],
      [],
      ["trips:trip_agent"],
    ]);
  });
});

describe("every detector", () => {
  it("can observe: it reports and changes no verdict [B8~] (trap 4)", () => {
    const { repeat, similar } = LOOP_DEFAULTS;
    const settings = { repeat: { ...repeat, mode: "observe" }, similar: { ...similar, mode: "observe" } } as const;
    const watched = run(settings);
    const found = times(9, () => watched.call("search", { q: "x" }));
    expect(found.map((one) => one.some(({ detector, mode }) => detector === "repeat" && mode === "observe"))).toEqual(
      times(9, (n) => n >= 3),
    );
    expect(found.map(severest)).toEqual(times(9, () => undefined));
    expect(severest(run().call("search", {}, { spending: { depth: 9, usdMicros: 9_000_000n } }))).toBe("trip_run");
  });

  it("speaks of the call in the third person, with names, counts and the rule, and never asks for another attempt (trap 27)", () => {
    const looping = run();
    const pausing = run();
    const findings = [
      ...times(5, () => looping.call("search", { q: "x" })).flat(),
      ...times(7, (n) => pausing.call("search", { n }, { result: [] })).flat(),
      ...run().call("pay", { order: 1 }, { earlier: { callId: "call_9", at: 0, outcome: "succeeded" } }),
      ...run().call("search", {}, { spending: { depth: 0, usdMicros: 4_500_000n } }),
    ];
    expect(new Set(findings.map(({ reaction }) => reaction))).toEqual(new Set(["deny", "trip_run", "pause"]));
    for (const { text, detector } of findings) {
      expect(text).toContain(`Rule breaker:${detector}, limit `);
      expect(text).not.toMatch(/\b(?:again|retry|repeat the|you|your)\b/i);
      expect(text).toMatch(/Still allowed: |until a person resets it\.$/);
    }
    expect(looping.call("search", { q: "x" })[0]?.text).not.toContain("\n");
  });
});
