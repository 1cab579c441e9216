import { describe, expect, it } from "vitest";
import { type DetectorName, LOOP_DEFAULTS, type LoopSettings } from "../../detectors.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import { issuesOf, policiesOf } from "../testing/judging.ts";

const REST = {
  environments: { prod: {}, dev: {} },
  tools: { t: { kind: "write", aliases: ["mcp__t"] }, u: { kind: "read" } },
};
const HERE = { agent: "a", environment: "prod", tool: "t" };

function detectors(breakers: Json) {
  return policiesOf({ ...REST, breakers }).detectors;
}
const said = (breakers: Json) => issuesOf({ ...REST, breakers });

describe("settings of the detectors [B8~]", () => {
  it("are the defaults where nothing is said", () => {
    expect(policiesOf(REST).detectors(HERE)).toBe(LOOP_DEFAULTS);
    expect(detectors({ tool: "u", raw: { calls: 9 } })(HERE)).toEqual(LOOP_DEFAULTS);
  });

  /** Every key of every detector, with a value that is not its default. */
  const changed: { readonly [Name in DetectorName]: readonly [JsonObject, Partial<LoopSettings[Name]>][] } = {
    repeat: [
      [{ same: 4 }, { same: 4 }],
      [{ writes: 3 }, { writes: 3 }],
      [{ last: 20 }, { last: 20 }],
    ],
    cycle: [
      [{ longest: 5 }, { longest: 5 }],
      [{ rounds: 4 }, { rounds: 4 }],
    ],
    similar: [
      [{ alike: 5 }, { alike: 5 }],
      [{ slots: 10 }, { slots: 10 }],
      [{ progress: 5 }, { progress: 5 }],
    ],
    errors: [
      [{ streak: 4 }, { streak: 4 }],
      [{ trip: 9 }, { trip: 9 }],
    ],
    varied: [
      [{ questions: 6 }, { questions: 6 }],
      [{ last: 30 }, { last: 30 }],
    ],
    raw: [[{ calls: 50 }, { calls: 50 }]],
    denials: [
      [{ most: 9 }, { most: 9 }],
      [{ within: "2m" }, { withinMs: 120_000 }],
      [{ same_rule: 4 }, { sameRule: 4 }],
    ],
    rate: [
      [{ calls: 10 }, { calls: 10 }],
      [{ recipient: 2 }, { recipient: 2 }],
      [{ within: "10m" }, { withinMs: 600_000 }],
    ],
    novelty: [
      [{ recipients: 3 }, { recipients: 3 }],
      [{ within: "1d" }, { withinMs: 86_400_000 }],
    ],
    duplicate: [[{}, {}]],
    caps: [
      [{ calls: 20 }, { calls: 20 }],
      [{ minutes: 5 }, { minutes: 5 }],
      [{ usd: "0.50" }, { usdMicros: 500_000n, usdHeld: true }],
      [{ usd: 7 }, { usdMicros: 7_000_000n, usdHeld: true }],
      [{ depth: 0 }, { depth: 0 }],
    ],
    trips: [
      [{ most: 2 }, { most: 2 }],
      [{ within: "1h" }, { withinMs: 3_600_000 }],
    ],
  };
  const rows = (Object.keys(changed) as DetectorName[]).flatMap((name) =>
    [...changed[name], [{ mode: "observe" }, { mode: "observe" }], [{ over: "annotate" }, { over: "annotate" }]].map(
      ([written, read]) => ({ name, written: written as JsonObject, read: read as JsonObject }),
    ),
  );

  it.each(rows)("$name $written (trap 4)", ({ name, written, read }) => {
    const settings = detectors({ [name]: written })(HERE);
    expect(settings).toEqual({ ...LOOP_DEFAULTS, [name]: { ...LOOP_DEFAULTS[name], ...read } });
    const revision = (breakers: JsonObject) => policiesOf({ ...REST, ...breakers }).revision;
    expect(revision({ breakers: { [name]: written } })).not.toBe(revision({}));
  });
});

describe("of several entries the narrowest wins", () => {
  const calls = (breakers: Json, of: Partial<typeof HERE>) => detectors(breakers)({ ...HERE, ...of }).raw.calls;
  const entries = [
    { raw: { calls: 1 } },
    { env: "dev", raw: { calls: 2 } },
    { agent: "b*", raw: { calls: 3 } },
    { agent: "b", raw: { calls: 4 } },
    { tool: "*", raw: { calls: 5 } },
    { tool: "t", raw: { calls: 6 } },
    { tool: "t", agent: "b", raw: { calls: 7 } },
    { tool: ["u", "*x"], agent: "b", raw: { calls: 8 } },
  ];

  it.each<[Partial<typeof HERE>, number]>([
    [{ tool: "other" }, 5],
    [{ tool: "t" }, 6],
    [{ tool: "mcp__t" }, 6],
    [{ tool: "t", agent: "b" }, 7],
    [{ tool: "t", agent: "bb" }, 6],
    [{ tool: "u", agent: "b" }, 8],
    [{ tool: "u", environment: "dev" }, 5],
  ])("%o → %i", (of, expected) => {
    expect(calls(entries, of)).toBe(expected);
    expect(calls(entries.toReversed(), of)).toBe(expected);
  });

  it.each<[Partial<typeof HERE>, number]>([
    [{}, 1],
    [{ environment: "dev" }, 2],
    [{ agent: "bb" }, 3],
    [{ agent: "b" }, 4],
    [{ agent: "b", environment: "dev" }, 4],
    // Settings for one declared environment may be looser than the others.
    [{ environment: "nowhere" }, 1],
  ])("without tools: %o → %i", (of, expected) => {
    expect(calls(entries.slice(0, 4), of)).toBe(expected);
  });

  it("detector by detector, each whole", () => {
    const settings = detectors([{ repeat: { same: 5 } }, { tool: "t", repeat: { last: 10 } }])(HERE);
    expect(settings.repeat).toEqual({ ...LOOP_DEFAULTS.repeat, last: 10 });
    expect(detectors([{ repeat: { same: 5 } }, { tool: "t", raw: { calls: 5 } }])(HERE)).toMatchObject({
      repeat: { same: 5 },
      raw: { calls: 5 },
    });
  });

  it("the same settings are the same object, and any number of tools may ask", () => {
    const of = detectors(entries);
    expect(of({ ...HERE, tool: "x1" })).toBe(of({ ...HERE, tool: "x2" }));
    for (let at = 0; at < 10_000; at++) of({ ...HERE, tool: `made up ${at}` });
    expect(of(HERE).raw.calls).toBe(6);
  });
});

describe("`breakers` at load", () => {
  it.each<[string, Json, string]>([
    ["a detector twice", [{ raw: { calls: 2 } }, { raw: { calls: 3 } }], "error conflict: `raw` is set"],
    [
      "globs that meet",
      [
        { tool: "a*", raw: {} },
        { tool: "*b", raw: {} },
      ],
      "error conflict",
    ],
    ["an unknown detector", { rewind: {}, raw: {} }, "error unknown-key"],
    [
      "an unknown setting",
      { raw: { cals: 5 } },
      "error unknown-key: unknown key `cals` in `raw`; did you mean `calls`?",
    ],
    ["an unknown mode", { raw: { mode: "observ" } }, "error bad-value"],
    ["an unknown reaction", { raw: { over: "allow" } }, "error bad-value"],
    ["nothing at all", { tool: "t" }, "error empty"],
    ["an empty list of tools", { tool: [], raw: {} }, "error empty"],
    ["an unknown tool", { tool: "tt", raw: {} }, "error unknown-tool"],
    ["an unknown environment", { env: "prd", raw: {} }, "error unknown-environment"],
    ["a cap by tool", { tool: "t", caps: { calls: 5 } }, "error bad-value: `caps` is about all tools"],
    ["more than it looks at", { repeat: { same: 9, last: 5 } }, "error bad-value: `repeat`"],
    ["more writes than it looks at", { repeat: { writes: 13 } }, "error bad-value: `repeat`"],
    ["more than a run remembers", { repeat: { last: 33 } }, "error bad-value"],
    ["rounds that a run forgets", { cycle: { longest: 12 } }, "error bad-value: `cycle`"],
    ["a stop before the question", { errors: { streak: 9 } }, "error bad-value: `errors`"],
    ["more questions than it looks at", { varied: { questions: 21 } }, "error bad-value: `varied`"],
    ["zero", { raw: { calls: 0 } }, "error bad-value"],
    ["a number of minutes", { rate: { within: 10 } }, "error wrong-type"],
    ["dollars as a fraction", { caps: { usd: 0.5 } }, "error bad-value"],
    ["dollars with a sign", { caps: { usd: "-5" } }, "error bad-value"],
  ])("%s", (_name, breakers, expected) => {
    expect(said(breakers)[0]).toContain(expected);
  });

  it("two entries for calls that do not meet may set one detector", () => {
    expect(
      said([
        { tool: "t", raw: {} },
        { tool: "u", raw: {} },
      ]),
    ).toEqual([]);
    expect(
      said([
        { env: "dev", raw: {} },
        { env: "prod", raw: {} },
      ]),
    ).toEqual([]);
    expect(said([{ raw: { calls: 2 } }, { repeat: { same: 4 } }])).toEqual([]);
  });
});

describe("what a tool is to the breakers", () => {
  const traits = (tools: JsonObject, tool = "t") => policiesOf({ tools }).traits(tool);

  it.each<[string, JsonObject, object]>([
    ["identity", { identity: ["args.to", "subject"] }, { identity: ["subject", "to"] }],
    ["volatile", { volatile: ["nonce", "nonce"] }, { volatile: ["nonce"] }],
    ["progress", { progress: "$.cursor" }, { progress: "$.cursor" }],
    ["poll", { poll: { every: "5s", for: "10m" } }, { poll: { everyMs: 5_000, forMs: 600_000 } }],
    ["paginate", { paginate: "cursor" }, { paginate: "cursor" }],
    [
      "recipients",
      { recipients: ["to[]", "cc[].mail", "groups.*.mail"] },
      { recipients: ["cc[].mail", "groups.*.mail", "to[]"] },
    ],
  ])("%s (trap 4)", (_name, entry, expected) => {
    expect(traits({ t: { kind: "write", ...entry } })).toEqual({ kind: "write", ...expected });
    const revision = (own: JsonObject) => policiesOf({ tools: { t: { kind: "write", ...own } } }).revision;
    expect(revision(entry)).not.toBe(revision({}));
  });

  it("nothing declared is the worst kind and no trait", () => {
    expect(traits({}, "anything")).toEqual({ kind: "destructive" });
  });

  it("entries add up, by name, alias and glob", () => {
    const tools = { "m.*": { volatile: ["nonce"] }, "m.send": { kind: "write", identity: ["to"], aliases: ["x"] } };
    const all = { kind: "write", identity: ["to"], volatile: ["nonce"] };
    expect([traits(tools, "m.send"), traits(tools, "x")]).toEqual([all, all]);
    expect(traits(tools, "m.other")).toEqual({ kind: "destructive", volatile: ["nonce"] });
  });

  it("one order of one declaration: `identity: [a, b]` and `[b, a]` say the same", () => {
    const tools = { "t*": { identity: ["a", "b"] }, t: { identity: ["b", "a"] } };
    expect(issuesOf({ tools })).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ["another `identity`", { "t*": { identity: ["a"] }, t: { identity: ["b"] } }, "error conflict: `identity`"],
    [
      "another `poll`",
      { "t*": { poll: { every: "1s", for: "5s" } }, t: { poll: { every: "2s", for: "5s" } } },
      "error conflict",
    ],
    ["`poll` and `paginate`", { t: { poll: { every: "1s", for: "5s" }, paginate: "p" } }, "error bad-value"],
    [
      "`poll` and `paginate` of two entries",
      { "t*": { paginate: "p" }, t: { poll: { every: "1s", for: "5s" } } },
      "error conflict",
    ],
    ["a poll that ends before it begins", { t: { poll: { every: "1m", for: "5s" } } }, "error bad-value"],
    ["half a poll", { t: { poll: { every: "1m" } } }, "error missing-key"],
    ["an empty list", { t: { identity: [] } }, "error empty"],
    ["identity that is volatile", { t: { identity: ["n"], volatile: ["args.n"] } }, "error conflict"],
    ["a path that is none", { t: { identity: ["a b"] } }, "error bad-name"],
    ["a prototype", { t: { identity: ["__proto__"] } }, "error bad-name"],
  ])("%s is refused", (_name, tools, expected) => {
    expect(issuesOf({ tools })[0]).toContain(expected);
  });
});
