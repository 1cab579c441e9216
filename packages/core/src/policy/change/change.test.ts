import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../value/json.ts";
import { holds } from "../cel/text/secrets.ts";
import { compilePattern } from "../regex/match.ts";
import { ask, issuesOf, policiesOf } from "../testing/judging.ts";
import { cardsIn } from "./cards.ts";
import { type Found, findAll } from "./find.ts";
import { ibansIn } from "./ibans.ts";
import { redacted } from "./redact.ts";
import { secretsIn } from "./secrets.ts";

/** What would run under these changes of one allow rule, or the ids that deny. */
function run(change: Json, args: JsonObject): JsonObject | readonly string[] {
  const rules = [{ id: "r", tool: "t", then: "allow", change }];
  const decision = ask(policiesOf({ tools: { t: {} }, rules }), args);
  return decision.verdict === "allow" ? (decision.changed?.args ?? args) : decision.by;
}

describe("each change", () => {
  it.each<[Json, JsonObject, Json]>([
    [{ clamp: "args.n", max: 5 }, { n: 9 }, { n: 5 }],
    [{ clamp: "n", max: 5 }, { n: 3 }, { n: 3 }],
    [{ clamp: "n", min: 1, max: 5 }, { n: -2.5 }, { n: 1 }],
    [{ clamp: "n", max: 0.5 }, { n: 0.7 }, { n: 0.5 }],
    [{ clamp: "a.b", max: 5 }, { a: { b: 7, c: 1 } }, { a: { b: 5, c: 1 } }],
    [{ clamp: "n", max: 5 }, {}, ["r"]],
    [{ clamp: "n", max: 5, missing: "set" }, {}, { n: 5 }],
    [{ clamp: "a.n", min: 2, missing: "set" }, {}, { a: { n: 2 } }],
    [{ clamp: "n", max: 5 }, { n: "9" }, ["r"]],
    [{ clamp: "n", max: 5 }, { n: null }, ["r"]],
    [{ clamp: "n", max: 5 }, { n: [9] }, ["r"]],
    [{ drop: "cc" }, { to: "a", cc: "b" }, { to: "a" }],
    [{ drop: "cc" }, { to: "a" }, { to: "a" }],
    [{ drop: "a.b" }, { a: { b: 1, c: 2 } }, { a: { c: 2 } }],
    [{ drop: "a.b" }, { a: "text" }, { a: "text" }],
    [{ set: "dry_run", to: "true" }, {}, { dry_run: true }],
    [{ set: "n", to: "args.n * 2" }, { n: 4 }, { n: 8 }],
    [{ set: "by", to: "principal.labels.tenant + '/' + agent" }, {}, { by: "acme/a" }],
    [{ set: "a.b", to: "[1, {'c': 'd'}]" }, { a: { x: 1 } }, { a: { x: 1, b: [1, { c: "d" }] } }],
    [{ set: "a.b", to: "1" }, { a: "text" }, ["r"]],
    [{ set: "n", to: "args.missing" }, {}, ["r"]],
    [{ set: "n", to: "args.?missing" }, {}, ["r"]],
    [{ set: "n", to: "9007199254740993" }, {}, ["r"]],
    [{ redact: "b", match: 'r"[0-9]+"', with: "#" }, { b: "a1b22c" }, { b: "a#b#c" }],
    [
      { redact: "b", match: 'r"[0-9]+"' },
      { b: ["x1", { y: "2" }], c: "3" },
      { b: ["x[redacted]", { y: "[redacted]" }], c: "3" },
    ],
    [{ redact: "b", match: 'r"[0-9]+"' }, { b: { "1": "x" } }, ["r"]],
    [{ redact: "b", match: 'r"[0-9]+"' }, {}, {}],
    [{ redact: "b", kinds: ["card"] }, { b: 4_111_111_111_111_111 }, { b: "[redacted]" }],
    [{ redact: "b", kinds: ["card"] }, { b: 41 }, { b: 41 }],
  ])("%j on %j gives %j", (change, args, expected) => {
    expect(run(change, args)).toEqual(expected);
  });

  it("[P7~] goes in the order clamp, drop, set, redact, and reads the arguments as they were", () => {
    const changes = [
      { redact: "args.note", match: 'r"ten"', with: "TEN" },
      { set: "args.note", to: "'was ' + string(args.n) + ' ten'" },
      { drop: "args.n" },
      { clamp: "args.n", max: 5 },
    ];
    expect(run(changes, { n: 9, note: "x" })).toEqual({ note: "was 9 TEN" });
    expect(run([...changes].reverse(), { n: 9, note: "x" })).toEqual({ note: "was 9 TEN" });
  });

  it("clamps of several rules meet at the tightest, and bounds that leave no number deny", () => {
    const rules = (...bounds: JsonObject[]) =>
      policiesOf({
        tools: { t: {} },
        rules: bounds.map((bound, index) => ({
          id: `r${index}`,
          tool: "t",
          then: "allow",
          change: { clamp: "n", ...bound },
        })),
      });
    expect(ask(rules({ max: 9 }, { max: 5 }, { min: 2 }), { n: 20 }).changed?.args).toEqual({ n: 5 });
    expect(ask(rules({ max: 9 }, { max: 5 }, { min: 2 }), { n: 0 }).changed?.args).toEqual({ n: 2 });
    expect(ask(rules({ max: 3 }, { min: 7 }), { n: 5 })).toMatchObject({ verdict: "deny", by: ["r0", "r1"] });
    expect(ask(rules({ max: 3, missing: "set" }, { max: 7 }), {})).toMatchObject({ verdict: "deny", by: ["r0", "r1"] });
  });

  it("only a rule that matched changes: not by error, not through `else`, not when it is observed", () => {
    const change = { set: "x", to: "1" };
    const policies = policiesOf({
      tools: { t: {} },
      rules: [
        { id: "base", tool: "t", then: "allow" },
        { id: "else", tool: "t", when: "args.n > 5", then: "allow", else: "pause", change: { set: "a", to: "1" } },
        { id: "error", tool: "t", when: "args.missing > 5", then: "pause", change: { set: "b", to: "1" } },
        { id: "observed", tool: "t", then: "allow", mode: "observe", change },
      ],
    });
    const decision = ask(policies, { n: 1 });
    expect(decision).toMatchObject({ verdict: "pause", by: ["else", "error"] });
    expect(decision.changed).toBeUndefined();
    expect(decision.would?.changed).toEqual({ args: { n: 1, x: 1 }, paths: ["x"] });
  });

  it("what was judged is frozen, and the proposal is left as it was (trap 12)", () => {
    const decision = ask(
      policiesOf({
        tools: { t: {} },
        rules: [{ id: "r", tool: "t", then: "allow", change: { set: "a.b", to: "{'c': [1]}" } }],
      }),
      { a: { x: [1] } },
    );
    const all = (value: Json): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(all));
    expect(all(decision.changed?.args ?? null)).toBe(true);
  });
});

describe("two rules that write one argument", () => {
  const set = (id: string, more: JsonObject, path = "args.x") => ({
    id,
    tool: "t",
    then: "allow",
    change: { set: path, to: "1" },
    ...more,
  });
  const issues = (...rules: JsonObject[]) =>
    issuesOf({ tools: { t: {}, u: {} }, rules }).filter((issue) => issue.includes("conflict"));
  it.each<[string, JsonObject, JsonObject]>([
    ["both always", {}, {}],
    ["one below the other", {}, { change: { set: "args.x.y", to: "1" } }],
    ["a glob over the other's tool", {}, { tool: "*" }],
    ["conditions that are not surely apart", { when: "args.n > 5" }, { when: "args.n < 5" }],
    ["equal constants", { when: "args.k == 'a'" }, { when: "args.k == 'a'" }],
    ["an alternative", { when: "args.k == 'a' || args.n > 1" }, { when: "args.k == 'b'" }],
    ["another environment for only one", {}, { env: "prod" }],
  ])("are an error: %s", (_name, a, b) => {
    expect(issues(set("a", a), set("b", b))).toHaveLength(1);
  });
  it.each<[string, JsonObject, JsonObject]>([
    ["another tool", {}, { tool: "u" }],
    ["globs that never meet", { tool: "t*" }, { tool: "u*" }],
    ["another agent", { agent: "x" }, { agent: ["y", "z*"] }],
    ["constants that differ", { when: "args.k == 'a' && args.n > 1" }, { when: "'b' == args.k" }],
    ["another argument", {}, { change: { set: "args.xy", to: "1" } }],
    ["a clamp beside it", {}, { change: { clamp: "args.x", max: 1 } }],
  ])("are fine when they are apart: %s", (_name, a, b) => {
    expect(issues(set("a", a), set("b", b))).toEqual([]);
  });
  it("also within one rule", () => {
    const change = [
      { set: "x", to: "1" },
      { set: "args.x", to: "2" },
    ];
    expect(issues({ id: "a", tool: "t", then: "allow", change }).join()).toContain("also set by the same rule");
  });
});

describe("a change that means nothing is refused at load (trap 4)", () => {
  it.each<[Json, string]>([
    [{}, "exactly one of"],
    [{ clamp: "n", drop: "n", max: 1 }, "exactly one of"],
    [{ clamp: "n" }, "needs `min`, `max` or both"],
    [{ clamp: "n", min: 2, max: 1 }, "`min` is above `max`"],
    [{ drop: "n", max: 1 }, "`max` belongs to `clamp`"],
    [{ set: "n" }, "needs `to`"],
    [{ set: "n", to: "args." }, "syntax"],
    [{ set: "n", to: "nobody.knows" }, "unknown variable"],
    [{ set: "n", to: "b'x'" }, "gives a bytes"],
    [{ set: "constructor.x", to: "1" }, "no argument's path"],
    [{ redact: "n" }, "needs `kinds`, `match` or both"],
    [{ redact: "n", kinds: ["cards"] }, "did you mean `card`?"],
    [{ redact: "n", match: "args.x" }, "must be a CEL text"],
    [{ redact: "n", match: 'r"(a"' }, "invalid-pattern"],
    [[], "empty list"],
  ])("%j", (change, says) => {
    expect(issuesOf({ tools: { t: {} }, rules: [{ id: "r", tool: "t", then: "allow", change }] }).join()).toContain(
      says,
    );
  });
});

/** The first place and the longest end by asking JavaScript's own engine about every piece. */
function slowly(pattern: string, text: string): Found[] {
  const whole = new RegExp(`^(?:${pattern})$`, "u");
  const found: Found[] = [];
  for (let start = 0; start < text.length; start++) {
    for (let end = text.length; end > start; end--) {
      if (!whole.test(text.slice(start, end))) continue;
      found.push({ start, end });
      start = end - 1;
      break;
    }
  }
  return found;
}

function quickly(pattern: string, text: string, work = 1e6) {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.issue.message);
  return findAll(compiled.pattern, text, work);
}

describe("finding", () => {
  it("finds what a slow search finds: leftmost, longest, without overlap", () => {
    const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "ab", "a|b", "(a|ab)", "b?");
    const pattern = fc
      .array(fc.tuple(atom, fc.constantFrom("", "*", "+", "?", "{2}", "{1,2}")), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.map(([one, many]) => `(?:${one})${many}`).join(""));
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 }), (one, text) => {
        expect(quickly(one, text)).toEqual(slowly(one, text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["^a", "aa", [[0, 1]]],
    ["a$", "aa", [[1, 2]]],
    [
      "\\bcat\\b",
      "cat concat cat",
      [
        [0, 3],
        [11, 14],
      ],
    ],
    [
      "(?m)^x",
      "x\nx",
      [
        [0, 1],
        [2, 3],
      ],
    ],
    ["💥+", "a💥💥b", [[1, 5]]],
    ["x*", "aaa", []],
  ])("%s in %j", (pattern, text, places) => {
    expect(quickly(pattern, text)?.map(({ start, end }) => [start, end])).toEqual(places);
  });

  it("gives up on too much work instead of hanging, and the call is denied (trap 13)", () => {
    expect(quickly("(a|aa)+b", "a".repeat(5_000), 10_000)).toBe(null);
    expect(run({ redact: "b", match: 'r"(a|aa){1,400}b"' }, { b: "a".repeat(60_000) })).toEqual(["r"]);
  });
});

describe("card numbers, IBANs and keys", () => {
  const shown = (found: readonly Found[], text: string) => found.map(({ start, end }) => text.slice(start, end));
  it.each([
    ["4111111111111111", ["4111111111111111"]],
    ["pay 4111 1111 1111 1111 now", ["4111 1111 1111 1111"]],
    ["3782-822463-10005", ["3782-822463-10005"]],
    ["tel 555 4111.1111.1111.1111", ["4111.1111.1111.1111"]],
    ["4111111111111111 and 5555555555554444", ["4111111111111111", "5555555555554444"]],
    ["4111111111111112", []],
    ["1234567890123456789012345", []],
    ["12.05.2024 10:00", []],
  ])("cards in %j", (text, cards) => {
    expect(shown(cardsIn(text), text)).toEqual(cards);
  });
  it.each([
    ["CH93 0076 2011 6238 5295 7 please", ["CH93 0076 2011 6238 5295 7"]],
    ["de89370400440532013000", ["de89370400440532013000"]],
    ["NL91ABNA0417164300.", ["NL91ABNA0417164300"]],
    ["DE88370400440532013000", []],
    ["XX89370400440532013000", []],
    ["DE893704004405320130001", []],
  ])("IBANs in %j", (text, accounts) => {
    expect(shown(ibansIn(text), text)).toEqual(accounts);
  });
  it.each([
    ["key=sk_live_abcdefghijklmnop", 1],
    ["AKIAIOSFODNN7EXAMPLE", 1],
    [`ghp_${"a".repeat(36)} and xoxb-1234567890-abcdef`, 2],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def", 1],
    ["-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- rest", 1],
    ["-----BEGIN PRIVATE KEY-----\nabc", 1],
    ["a risk-free sk-ill, the AKIA company", 0],
  ])("keys in %j", (text, count) => {
    expect(secretsIn(text)).toHaveLength(count);
  });
  it("finds each key that `holds` knows, and takes all of it", () => {
    const random = "Zx81kQmT4vB9wLr2NcY7pHs5Zx81kQmT4vB9wLr2NcY7pHs5";
    const hex = "0123456789abcdef0123456789abcdef";
    const keys = [
      ...[
        "gh",
        "glpat-",
        "github_pat_",
        "npm_",
        "xoxb-",
        "xapp-1-",
        "GOCSPX-",
        "whsec_",
        "sk-",
        "sk-ant-",
        "hf_",
        "hvs.",
      ],
      ...[
        "sk_live_",
        "rk_test_",
        "lin_oauth_",
        "pypi-AgE",
        "ya29.",
        "AccountKey=",
        `SG.${random}.`,
        "eyJhbGciOiJIUzI1NiJ9.eyJ",
      ],
    ].map((start) => `${start === "gh" ? "ghp_" : start}${random}`);
    keys.push(...["dop_v1_", "key-", "SK", "AC", "shpat_", "dapi"].map((start) => `${start}${hex}`));
    keys.push("AKIAABCDEFGHIJKLMNO9", `AIza${random}`.slice(0, 39), `AGE-SECRET-KEY-1${random.toUpperCase()}`);
    for (const key of keys) {
      expect(holds(`a ${key} b`, "secret", 0), key).toBe(true);
      expect(secretsIn(`a ${key} b`), key).toEqual([{ start: 2, end: 2 + key.length }]);
    }
  });
  it("nothing of what was found is left, and a second time changes nothing", () => {
    const kinds = ["card", "iban", "secret"] as const;
    const how = { kinds, match: null, with: "[redacted]" };
    const piece = fc.constantFrom(
      "4111 1111 1111 1111",
      "CH9300762011623852957",
      "sk_live_abcdefghijklmnop",
      "a",
      " ",
      "12",
      "-",
      "x4",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const clean = redacted(pieces.join(" "), how);
        expect(redacted(clean, how)).toBe(clean);
        expect(String(clean)).not.toMatch(/4111 1111 1111 1111|CH9300762011623852957|sk_live_abc/);
      }),
    );
  });
  it.each([
    ["digits", "4 ".repeat(200_000)],
    ["country codes", "CH93 ".repeat(100_000)],
    ["beginnings of keys", "eyJ".repeat(200_000)],
    ["beginnings of private keys", "-----BEGIN PRIVATE KEY-----".repeat(20_000)],
  ])("a long text of %s takes no long time (trap 13)", (_name, text) => {
    expect(cardsIn(text).length + ibansIn(text).length + secretsIn(text).length).toBeLessThan(200_000);
  });
});
