import { describe, expect, it } from "vitest";
import { fitsFilter, goingOn, neighboursOf, pageOf, type RunFacts, tallyOf, withoutEach } from "./run-list.ts";

const NOW = 10_000_000;

interface Like {
  readonly agent?: string;
  readonly ageMs?: number;
  readonly denied?: number;
  readonly tools?: readonly string[];
  readonly principal?: string | null;
  readonly open?: number;
  readonly waiting?: number;
  readonly ended?: boolean;
  readonly stopped?: boolean;
  /** Older than what was counted. */
  readonly uncounted?: boolean;
}

function run(id: string, like: Like = {}): RunFacts {
  const { agent = "support", ageMs = 3_600_000, waiting = 0, ended = false, stopped = false } = like;
  const lastAt = NOW - ageMs;
  const counts = { calls: 1, allowed: 1, denied: like.denied ?? 0, paused: 0, failed: 0, unknown: 0 };
  const seen = {
    counts,
    usdMicros: undefined,
    principal: like.principal ?? null,
    tools: new Map((like.tools ?? []).map((tool) => [tool, 1])),
    moreTools: false,
    writer: "w",
    open: new Set(Array.from({ length: like.open ?? 0 }, (_, at) => `call ${at}`)),
  };
  return {
    run: { id, agent, environment: "prod", entries: 5, startedAt: lastAt - 1_000, lastAt },
    seen: like.uncounted === true ? undefined : seen,
    ...{ waiting, stopped, ended },
  };
}

const isLive = (facts: RunFacts) => fitsFilter(facts, { happened: "live" }, NOW);

describe("live", () => {
  it("is what goes on, however long ago it last wrote", () => {
    expect(isLive(run("a", { open: 1, ageMs: 7 * 3_600_000 }))).toBe(true);
    expect(isLive(run("a", { waiting: 1, ageMs: 7 * 3_600_000 }))).toBe(true);
    expect(isLive(run("a", { ageMs: 7 * 3_600_000 }))).toBe(false);
  });

  it("is what did something a moment ago, where nobody knows better", () => {
    expect(isLive(run("a", { ageMs: 1_000 }))).toBe(true);
    expect(isLive(run("a", { ageMs: 1_000, uncounted: true }))).toBe(true);
    expect(isLive(run("a", { ageMs: 60_000, uncounted: true }))).toBe(false);
  });

  it("is nothing whose process has ended, whatever it had begun", () => {
    for (const like of [{ open: 3 }, { waiting: 1 }, { ageMs: 1_000 }]) {
      const dead = run("a", { ...like, ended: true });
      expect(isLive(dead)).toBe(false);
      expect(goingOn(dead)).toBe(0);
    }
    // Its question waits all the same.
    expect(fitsFilter(run("a", { waiting: 1, ended: true }), { happened: "waiting" }, NOW)).toBe(true);
  });
});

const ALL = [
  run("e", { agent: "night", denied: 1, tools: ["refund"], principal: "ann" }),
  run("d", { tools: ["refund", "lookup"], principal: "ann" }),
  run("c", { tools: ["lookup"], stopped: true }),
  run("b", { agent: "night", denied: 2, tools: ["lookup"], principal: "bob" }),
  run("a", { uncounted: true }),
];
const ids = (facts: readonly RunFacts[] | undefined) => facts?.map((one) => one.run.id).join("");
const page = (filter: object, from: string | undefined, skip = 0, limit = 50) =>
  pageOf(ALL, { filter, from, skip, limit, now: NOW });

describe("a filter", () => {
  it.each([
    [{}, "edcba"],
    [{ agent: "night" }, "eb"],
    [{ agent: "night", principal: "bob" }, "b"],
    [{ tool: "refund" }, "ed"],
    [{ tool: "refund", happened: "denied" }, "e"],
    [{ happened: "stopped" }, "c"],
    [{ environment: "prod", principal: "ann" }, "ed"],
    [{ environment: "test" }, ""],
  ])("%o finds %s", (filter, found) => {
    expect(ids(page(filter, undefined)?.facts)).toBe(found);
  });

  it("counts each of what happened under everything else, and what lifting each part would bring", () => {
    expect(tallyOf(ALL, { agent: "night", happened: "stopped" }, NOW)).toMatchObject({ denied: 2, stopped: 0 });
    expect(withoutEach(ALL, { agent: "night", happened: "stopped" }, NOW)).toEqual({ agent: 1, happened: 2 });
  });
});

describe("pages", () => {
  it("below a run stay what they are while newer ones come", () => {
    const before = page({}, "d", 1, 2);
    expect(ids(before?.facts)).toBe("cb");
    const later = pageOf([run("g"), run("f"), ...ALL], { filter: {}, from: "d", skip: 1, limit: 2, now: NOW });
    expect(ids(later?.facts)).toBe("cb");
    expect([before?.newer, later?.newer]).toEqual([1, 3]);
    expect(later?.total).toBe(4);
  });

  it("begin at their run also where that does not fit any more, and nowhere at a run that is not there", () => {
    expect(ids(page({ agent: "night" }, "d")?.facts)).toBe("b");
    expect(page({ agent: "night" }, "d")?.newer).toBe(1);
    expect(page({}, "zzz")).toBeUndefined();
  });
});

describe("neighbours", () => {
  it("are those that fit, also of a run that does not", () => {
    expect(neighboursOf(ALL, "d", {}, NOW)).toEqual({ newer: "e", older: "c", place: 2, total: 5 });
    expect(neighboursOf(ALL, "d", { agent: "night" }, NOW)).toEqual({ newer: "e", older: "b", place: null, total: 2 });
    expect(neighboursOf(ALL, "a", {}, NOW)).toEqual({ newer: "b", older: null, place: 5, total: 5 });
    expect(neighboursOf(ALL, "zzz", {}, NOW)).toEqual({ newer: null, older: null, place: null, total: 5 });
  });
});
