import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Hash } from "../../ports.ts";
import type { ToolTraits } from "../../traits.ts";
import type { JsonObject } from "../../value/json.ts";
import { ScriptedRun, said } from "../testing/scripted-run.ts";

const hash: Hash = { sha256: (bytes) => createHash("sha256").update(bytes).digest() };

const TOOLS: Readonly<Record<string, ToolTraits>> = {
  search: { kind: "read" },
  refund: { kind: "write", volatile: ["nonce"], identity: ["order"] },
  think: { kind: "none" },
  note: { kind: "write" },
  clock: { kind: "read" },
};

/** The calls of a run up to the first that is stopped; what was said then, and how many calls ran. */
function until(make: (n: number) => readonly [tool: string, args: JsonObject, result?: string, error?: string][]) {
  const run = new ScriptedRun(TOOLS, hash);
  let ran = 0;
  for (let n = 0; n < 300; n++) {
    for (const [tool, args, result = "nothing found", error] of make(n)) {
      const findings = run.call(tool, args, { result, ...(error === undefined ? {} : { error }) });
      if (findings.length > 0) return { ran, said: said(findings) };
      ran++;
    }
  }
  return { ran, said: [] };
}

/** Other words for each number. */
const hashWords = (n: number): string =>
  [...createHash("sha256").update(`${n}`).digest().subarray(0, 12)].map((byte) => `w${byte.toString(36)}x`).join(" ");

const permuted = (n: number): JsonObject =>
  n % 2 === 0 ? { q: "x", page: { from: 1, size: 9 } } : { page: { size: 9, from: 1 }, q: "x" };

/** How an agent may try, or stumble, to get a loop past the detectors, and when each is stopped (trap 20). */
describe("evasions [B1~]", () => {
  it.each<[string, ReturnType<typeof until>, { ran: number; said: readonly string[] }]>([
    ["other key orders", until((n) => [["search", permuted(n)]]), { ran: 3, said: ["repeat:deny"] }],
    [
      "a fresh nonce, while it fails",
      until((n) => [["refund", { order: "A1", nonce: n }, "declined", "code:declined"]]),
      { ran: 2, said: ["repeat:deny"] },
    ],
    [
      "a fresh nonce and other words, once it succeeded",
      until((n) => [["refund", { order: "A1", nonce: n, reason: `because ${n}` }]]),
      { ran: 1, said: ["duplicate:pause"] },
    ],
    ["paraphrased questions", until((n) => [["search", { q: `words ${n}` }]]), { ran: 5, said: ["varied:pause"] }],
    [
      "paraphrased arguments that fail",
      until((n) => [["refund", { order: "A1", reason: `because ${n}` }, "declined", "code:declined"]]),
      { ran: 5, said: ["errors:pause"] },
    ],
    [
      "thinking in between",
      until((n) => [
        ["search", { q: "x" }],
        ["think", { n }, ""],
      ]),
      { ran: 6, said: ["repeat:deny"] },
    ],
    [
      "much thinking in between",
      until((n) => [
        ["search", { q: "x" }],
        ...Array.from({ length: 20 }, (_, at) => ["think", { n, at }, ""] as [string, JsonObject, string]),
      ]),
      { ran: 63, said: ["repeat:deny"] },
    ],
    [
      "a round of three",
      until((n) => [["search", { q: n % 3 }]]),
      // Five different questions would be `varied`; three in a round repeat themselves first.
      { ran: 9, said: ["cycle:deny", "repeat:deny"] },
    ],
    [
      "results that differ only in time and ids",
      until((n) => [["search", { q: "x" }, `no hits, took ${n + 3}ms, request req_8fK2mPq0Zx${n + 10}`]]),
      { ran: 3, said: ["repeat:deny"] },
    ],
    [
      "a clock beside it, so that something is always new",
      until((n) => [
        ["clock", {}, `tick${n}`],
        ["search", { q: "x" }],
      ]),
      // Looks like waiting beside a poll; the count of equal calls ends it.
      { ran: 50, said: ["raw:pause"] },
    ],
    [
      "a new note in between, so that something is always done",
      until((n) => [
        ["search", { q: "x" }],
        ["note", { n }],
      ]),
      { ran: 50, said: ["raw:pause"] },
    ],
    [
      "a tool that lies: always other words, and nothing new",
      until((n) => [["search", { q: "x" }, `${["alpha", "bravo", "delta"][n % 3]} ${hashWords(n)}`]]),
      { ran: 25, said: ["raw:pause"] },
    ],
    [
      "a tool that lies: it did what it calls declined",
      until(() => [["refund", { order: "A1" }, "declined", "code:declined"]]),
      { ran: 2, said: ["repeat:deny"] },
    ],
    [
      "a tool that lies: it did nothing, and calls it done",
      until((n) => [["refund", { order: "A1" }, `refunded, receipt ${hashWords(n)}`]]),
      { ran: 1, said: ["duplicate:pause"] },
    ],
    ["everything new each time", until((n) => [["note", { n }, `${n}`]]), { ran: 160, said: ["caps:pause"] }],
  ])("%s", (_how, found, expected) => {
    expect(found).toEqual(expected);
  });

  it("sub-agents share the history of their root [B9~]", () => {
    const root = new ScriptedRun(TOOLS, hash);
    // Whoever of the family calls, the root's history is stepped: three agents, one loop.
    for (const _agent of ["root", "child", "grandchild"]) expect(root.call("search", { q: "x" })).toEqual([]);
    expect(said(root.call("search", { q: "x" }))).toEqual(["repeat:deny"]);
  });

  it("a restart forgets nothing: the state is plain JSON", () => {
    const before = new ScriptedRun(TOOLS, hash);
    for (let n = 0; n < 3; n++) before.call("search", { q: "x" });
    expect(said(before.call("search", { q: "x" }))).toEqual(["repeat:deny"]);
    const after = new ScriptedRun(TOOLS, hash);
    after.state = JSON.parse(JSON.stringify(before.state)) as typeof before.state;
    expect(said(after.call("search", { q: "x" }))).toEqual(["repeat:trip_run"]);
  });

  it("the state stays bounded, whatever an agent calls", () => {
    const busy = new ScriptedRun(TOOLS, hash);
    for (let n = 0; n < 700; n++) {
      const { callId, keys } = busy.propose("note", { n });
      if (n % 3 === 0) busy.deny(callId, "note", [`rule${n}`]);
      else if (n % 3 === 1) busy.finish(callId, keys, { result: `${n}` });
    }
    const { recent, open, counts, acts, denials } = busy.state;
    expect([recent.length <= 32, open.length <= 32, denials.length <= 64]).toEqual([true, true, true]);
    expect(counts.length).toBeLessThanOrEqual(3_600);
    expect(Object.keys(acts).length).toBeLessThanOrEqual(32);
    expect(Math.max(...Object.values(acts).map((bucket) => bucket.length))).toBeLessThanOrEqual(16);
  });
});
