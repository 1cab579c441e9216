import { type EntryHeader, encodePart, type StoredEntry } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { createRunActivity, MOST_RUNS } from "./run-activity.ts";

function header(run: string, rest: Partial<EntryHeader> & Pick<EntryHeader, "type">): EntryHeader {
  const link = { n: 0, prev: null };
  return { v: 1, log: "l", time: 0, writer: { id: "agent process", ...link }, run: { id: run, ...link }, ...rest };
}

function entry(parts: Readonly<Record<string, unknown>> = {}): StoredEntry {
  const bytes = new Uint8Array();
  const stored = Object.entries(parts).map(([name, value]) => ({ name, salt: bytes, bytes: encodePart(value) }));
  return { seq: 0, header: bytes, leaf: bytes, parts: stored };
}

const START = { type: "run.started" } as const;

describe("what the log says of a run", () => {
  it("is for whom, which tools, at what cost, and what goes on in which process", () => {
    const runs = createRunActivity();
    runs.see(entry({ context: { principal: { id: "ann" } } }), header("r", START));
    for (const tool of ["refund", "lookup", "refund"])
      runs.see(entry(), header("r", { type: "call.proposed" }), { change: "calls", tool });
    runs.see(entry(), header("r", { type: "call.executing", call: "c1" }));
    runs.see(entry(), header("r", { type: "call.executing", call: "c2" }));
    runs.see(entry(), header("r", { type: "call.finished", call: "c1" }));
    runs.see(entry(), header("r", { type: "model.requested", model: "m1" }));
    runs.see(entry({ spend: { usd_micros: "40" } }), header("r", { type: "model.responded", model: "m1" }));
    // Whoever answers, or sweeps up, is not the process that runs it.
    const other = { id: "dashboard", n: 0, prev: null };
    runs.see(entry(), header("r", { type: "approval.decided", writer: other }));
    const seen = runs.get("r");
    expect(seen).toMatchObject({ principal: "ann", usdMicros: 40n, writer: "agent process", counts: { calls: 3 } });
    expect([...(seen?.tools ?? [])]).toEqual([
      ["refund", 2],
      ["lookup", 1],
    ]);
    expect([...(seen?.open ?? [])]).toEqual(["c2"]);
  });

  it("says nothing of a run whose beginning was not seen, or of entries that can not be read", () => {
    const runs = createRunActivity();
    runs.see(entry(), header("r", { type: "call.executing", call: "c" }));
    expect(runs.get("r")).toBeUndefined();
    for (const context of [
      null,
      [],
      "text",
      { principal: null },
      { principal: { id: 7 } },
      { principal: { id: "" } },
    ]) {
      runs.see(entry({ context }), header("s", START));
      expect(runs.get("s")?.principal).toBeNull();
    }
  });

  it("is bounded: of very many runs the newest, of each the first tools and so many open calls", () => {
    const runs = createRunActivity();
    for (let at = 0; at <= MOST_RUNS; at++) runs.see(entry(), header(`r${at}`, START));
    expect(runs.get("r0")).toBeUndefined();
    expect(runs.get("r1")).toBeDefined();
    for (let at = 0; at < 1_000; at++) {
      runs.see(entry(), header("r1", { type: "call.proposed" }), { change: "calls", tool: `tool ${at}` });
      runs.see(entry(), header("r1", { type: "call.executing", call: `call ${at}` }));
    }
    const seen = runs.get("r1");
    expect(seen?.moreTools).toBe(true);
    expect(seen?.tools.size).toBeLessThan(50);
    expect(seen?.open.size).toBeLessThan(500);
    expect(seen?.counts.calls).toBe(1_000);
  });
});
