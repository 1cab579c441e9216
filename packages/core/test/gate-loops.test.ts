/** Every kind of loop through the whole gate, under the defaults, and what looks like one and is none. */
import { type JsonObject, LOOP_DEFAULTS, type PolicySet, type ToolTraits, WITHOUT_LIMITS } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { decision, world } from "./world.ts";

interface Script {
  /** The call number n, and what its tool gives. */
  readonly call: (n: number) => readonly [args: JsonObject, result: unknown, tool?: string];
  readonly traits?: ToolTraits;
  readonly everyMs?: number;
}

const READ: ToolTraits = { kind: "read" };

/** What the first refused or asked call was told, and how many ran before it; none in 120 calls is null. */
async function play({
  call,
  traits = READ,
  everyMs = 0,
}: Script): Promise<readonly [ran: number, rule: string | null]> {
  const policies: PolicySet = {
    revision: "r1",
    evaluate: ({ args }) => decision(args.forbidden === true ? "deny" : "allow", "rule.no"),
    explain: () => decision("deny"),
    kind: () => traits.kind,
    declares: () => true,
    boundPaths: () => [],
    bound: (_tool, args) => args,
    ...WITHOUT_LIMITS,
    traits: () => traits,
    detectors: () => LOOP_DEFAULTS,
  };
  let result: unknown;
  const w = world({
    policies: () => policies,
    tool: () => {
      if (result instanceof Error) throw result;
      return result;
    },
  });
  for (let n = 0; n < 120; n++) {
    const [args, gives, tool = "look"] = call(n);
    result = gives;
    w.clock.time += everyMs;
    const asked = w.paused.length;
    const answer = w.call(args, { tool });
    // A detector that asks is as good as one that refuses; nobody answers here.
    const first = await Promise.race([answer, stopped(() => w.paused.length > asked)]);
    if (first === "asked") return [w.ran.length, w.paused.at(-1)?.reasons[0]?.id ?? null];
    if (first.status !== "denied") continue;
    const breaker = first.denial.rules.find((rule) => rule.startsWith("breaker:"));
    if (breaker !== undefined) return [w.ran.length, breaker];
  }
  return [w.ran.length, null];
}

async function stopped(holds: () => boolean): Promise<"asked"> {
  for (;;) {
    if (holds()) return "asked";
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const answering = (status: number) => Object.assign(new Error(`answered ${status}`), { status });
const failing = (code: string) => Object.assign(new Error("refused"), { code });
const words = (n: number) => Array.from({ length: 40 }, (_, at) => `word${at < 30 ? at : n * 100 + at}`).join(" ");

describe("[B1] loops are told by their results, at the gate", () => {
  it.each<[string, Script, readonly [ran: number, rule: string | null]]>([
    ["the same question, the same answer", { call: () => [{ q: "x" }, "nothing"] }, [3, "breaker:repeat"]],
    ["a round of two", { call: (n) => [{ q: n % 2 }, `answer ${n % 2}`] }, [6, "breaker:cycle"]],
    [
      "a round of four, longer than the window of repeats",
      { call: (n) => [{ q: n % 4 }, `answer ${n % 4}`] },
      [12, "breaker:cycle"],
    ],
    ["answers that are nearly equal", { call: (n) => [{ q: "x" }, words(n)] }, [4, "breaker:similar"]],
    ["one error after the other", { call: (n) => [{ q: n }, failing("declined")] }, [5, "breaker:errors"]],
    ["other words, the same answer", { call: (n) => [{ q: `words ${n}` }, "nothing found"] }, [5, "breaker:varied"]],
    ["over and over, whatever comes", { call: (n) => [{ q: "x" }, `${n} ${n * 7} ${n * 13}`] }, [25, "breaker:raw"]],
    ["a storm of denials", { call: (n) => [{ n, forbidden: n < 3 }, "ok"] }, [0, "breaker:denials"]],
    [
      "the same business act",
      { call: (n) => [{ order: "A1", n }, `done ${n}`], traits: { kind: "write", identity: ["order"] } },
      [1, "breaker:duplicate"],
    ],
    ["a server that is down, asked the same", { call: () => [{ q: "x" }, answering(503)] }, [5, "breaker:tool"]],
    ["a rate limit, met with the same call", { call: () => [{ q: "x" }, answering(429)] }, [5, "breaker:tool"]],
    [
      "two servers that are down, by turns",
      { call: (n) => [{ q: "x" }, answering(503), `look${n % 2}`] },
      [10, "breaker:tool"],
    ],
    [
      "a write of which a server that is down may have done its part",
      { call: () => [{ order: "A1" }, answering(503)], traits: { kind: "write" } },
      [2, "breaker:repeat"],
    ],
    [
      "a write that a rate limit kept from happening",
      { call: () => [{ order: "A1" }, answering(429)], traits: { kind: "write" } },
      [5, "breaker:tool"],
    ],
  ])("%s", async (_what, script, expected) => {
    expect(await play(script)).toEqual(expected);
  });

  it.each<[string, Script]>([
    ["paging with new results", { call: (n) => [{ cursor: n }, { rows: [n, n + 1] }] }],
    [
      "paging that was declared",
      { call: (n) => [{ q: "x", cursor: n }, { rows: [] }], traits: { kind: "read", paginate: "cursor" } },
    ],
    [
      "a poll within what was declared",
      {
        call: () => [{ job: 1 }, "pending"],
        traits: { kind: "read", poll: { everyMs: 1_000, forMs: 3_600_000 } },
        everyMs: 1_000,
      },
    ],
    ["different work", { call: (n) => [{ order: `A${n}` }, { order: n, paid: n * 3 }] }],
  ])("%s is none", async (_what, script) => {
    expect(await play(script)).toEqual([120, null]);
  });
});
