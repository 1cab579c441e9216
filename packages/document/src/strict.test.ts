import type { JsonObject } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { decide, issues, load, loaded, PAYMENTS } from "../test/loading.ts";
import { formatIssue } from "./format-issue.ts";

describe("strictness", () => {
  it("[P1~] reports every issue of every file in one run, with place and nearest word (trap 8)", () => {
    const first = `saferun: policy/v1
enviroments: { prod: {} }
Rules: []
tools: { stripe.refund: { kind: wrte, sinks: {} } }
rules:
  - { id: a, tool: stripe.refnd, when: args.amount > "x", then: allow }
  - { id: b, tool: stripe.refund, when: agrs.amount > 5, then: alow }
  - { id: c, tool: stripe.refund, when: frobnicate(args.x), then: deny, change: [] }
  - { id: d, tool: stripe.refund, when: args.amount + 1, then: deny, env: prd }
  - { id: e, then: deny }
`;
    const second = `saferun: policy/v1
environments: { prod: {} }
rules:
  - { id: a, tool: stripe.refund, when: context.mail == "x", then: deny }
budgets: []
`;
    expect(issues(first, second)).toMatchInlineSnapshot(`
      [
        "p1.yaml:2:1 error unknown-key unknown key \`enviroments\` in the file; did you mean \`environments\`?",
        "p1.yaml:3:1 error unknown-key unknown key \`Rules\` in the file; did you mean \`rules\`?",
        "p1.yaml:4:33 error bad-value \`kind\` cannot be \`wrte\`; expected \`read\`, \`write\`, \`destructive\`, \`none\`; did you mean \`write\`?",
        "p1.yaml:4:39 error not-yet \`sinks\` is not available in this version; remove it",
        "p1.yaml:6:20 error unknown-tool unknown tool \`stripe.refnd\`; did you mean \`stripe.refund\`?",
        "p1.yaml:7:41 error unknown-variable unknown variable \`agrs\`: did you mean \`args\`?",
        "p1.yaml:7:64 error bad-value \`then\` cannot be \`alow\`; expected \`allow\`, \`deny\`, \`pause\`; did you mean \`allow\`?",
        "p1.yaml:8:11 error bad-value \`change\` has no meaning on a deny rule; remove it",
        "p1.yaml:8:11 error empty \`change\` is an empty list; remove it",
        "p1.yaml:8:41 error unknown-function unknown function \`frobnicate\`",
        "p1.yaml:9:75 error unknown-environment unknown environment \`prd\`; did you mean \`prod\`?",
        "p1.yaml:10:5 error missing-key rule \`e\` needs at least one of \`tool\`, \`kind\`, \`label\`",
        "p2.yaml:4:11 error duplicate-id rule \`a\` is already at p1.yaml:6:11",
        "p2.yaml:4:49 error unknown-field unknown field \`context.mail\`",
      ]
    `);
  });

  it("[P1~] a file that does not load whole does not load at all (trap 5)", () => {
    const good = "saferun: policy/v1\nenvironments: { prod: { unmatched: allow } }\n";
    expect(load(good).ok).toBe(true);
    for (const broken of [
      "",
      "saferun: policy/v1\n",
      "- a\n",
      "just text\n",
      "saferun: policy/v2\n",
      "rules: [\n",
      "saferun: policy/v1\nrules: [{ id: a, tool: t, then: deny }]\n",
    ]) {
      expect(load(good, broken).ok, broken).toBe(false);
    }
    expect(load().ok).toBe(false);
  });

  it("[P1~] never ignores what is not built yet (trap 4)", () => {
    expect(issues(`${PAYMENTS}facts: {}\nflows: []\n`)).toEqual([
      "p1.yaml:32:1 error not-yet `facts` is not available in this version; remove it",
      "p1.yaml:33:1 error not-yet `flows` is not available in this version; remove it",
    ]);
  });

  it("[P1~] names YAML's own traps at the condition", () => {
    const rule = (when: string) =>
      issues(
        `saferun: policy/v1\nenvironments: { prod: {} }\ntools: { t: {} }\nrules:\n  - id: a\n    tool: t\n    when: ${when}\n    then: deny\n`,
      );
    expect(rule('args.note == "a #1"').join()).toContain("` #` begins a comment in YAML; put the condition in quotes");
    expect(rule("#W1")).toEqual(["p1.yaml:7:11 error empty `when` is empty; `#W1` is a comment in YAML, so quote it"]);
    expect(rule("!has(args.x)").join()).toContain("an unquoted `!` begins one in YAML");
    expect(rule("true").join()).toContain("`true` is a boolean; put it in quotes");
    expect(rule("|\n      args.a == 1 &&\n      args.b === 2").join()).toContain("p1.yaml:9:");
  });

  it("places an issue with a caret", () => {
    const text = "saferun: policy/v1\nenvironments: { prod: {} }\nrulez: []\n";
    const result = load(text);
    expect(result.ok).toBe(false);
    if (!result.ok && result.issues[0]) {
      expect(formatIssue(result.issues[0], text)).toBe(
        "p1.yaml:3:1: error: unknown key `rulez` in the file; did you mean `rules`? [unknown-key]\n    rulez: []\n    ^",
      );
    }
  });
});

describe("definitions and constants", () => {
  const file = (body: string, when: string) =>
    `saferun: policy/v1\nenvironments: { prod: {} }\ntools: { t: {} }\n${body}rules: [{ id: a, tool: t, when: "${when}", then: allow }]\n`;
  const verdict = (text: string, args: JsonObject) => decide(loaded(text).policies, { tool: "t", args }).verdict;

  it("a definition stands for its expression, with absorption and macro variables as if written out", () => {
    const text = file(
      "define: { a: args.x > limit, both: a && args.y, b: args.n }\nlet: { limit: 3 }\n",
      "has(args.x) && both || args.l.exists(args, b == args)",
    );
    expect(verdict(text, { x: 4, y: true, n: 0, l: [] })).toBe("allow");
    expect(verdict(text, { x: 3, y: true, n: 7, l: [1, 7] })).toBe("allow");
    expect(verdict(text, { n: 7, l: [1] })).toBe("deny");
  });

  it("refuses circles, doubling, shadowing and unknown names (trap 8, trap 13)", () => {
    const codes = (text: string) => issues(text).map((line) => line.split(" ")[2]);
    expect(codes(file("define: { p: q, q: p }\n", "p"))).toEqual(["circular", "circular"]);
    const doubling = Array.from({ length: 20 }, (_, index) => `d${index + 1}: d${index} && d${index}`).join(", ");
    expect(codes(file(`define: { d0: args.x, ${doubling} }\n`, "d20"))).toContain("limit");
    expect(codes(file("define: { args: '1 == 1' }\n", "args"))).toContain("bad-name");
    expect(codes(file("let: { now: 1 }\n", "true"))).toContain("bad-name");
    expect(codes(file("let: { limt: 1 }\n", "args.x > limit"))).toEqual(["unknown-variable"]);
    expect(codes(file("let: { a: { __proto__: 1 } }\n", "true"))).toContain("bad-name");
  });
});

describe("merging", () => {
  const base = "saferun: policy/v1\nenvironments: { prod: {} }\n";
  const codes = (...texts: string[]) => issues(...texts).map((line) => line.split(" ")[2]);

  it("every merge is a union or an error (trap 11)", () => {
    const other = (body: string) => `saferun: policy/v1\nname: second\n${body}`;
    expect(codes(base, other("environments: { prod: { unmatched: allow } }\n"))).toContain("duplicate-key");
    expect(codes(`${base}tools: { t: { kind: read } }\n`, other("tools: { t: { kind: write } }\n"))).toEqual([
      "conflict",
    ]);
    expect(codes(`${base}tools: { "t.*": { kind: read } }\n`, other("tools: { t.x: { kind: write } }\n"))).toEqual([
      "conflict",
    ]);
    expect(codes(`${base}tools: { "t.*": { kind: read }, "*.x": { kind: write } }\n`)).toContain("conflict");
    expect(codes(`${base}let: { a: 1 }\n`, other("let: { a: 2 }\n"))).toEqual(["conflict"]);
    expect(codes(`${base}context: { a: int }\n`, other("context: { a: string }\n"))).toEqual(["conflict"]);
    expect(codes(`${base}tools: { t: { aliases: [u] }, u: {} }\n`)).toEqual(["conflict"]);
    expect(
      codes(
        `${base}tools: { t: { labels: [a] } }\nlet: { a: 1 }\n`,
        other("tools: { t: { kind: read, labels: [b] } }\nlet: { a: 1 }\n"),
      ),
    ).toEqual([]);
  });

  it("refuses rules that could not say what they seem to", () => {
    const rule = (keys: string) => codes(`${base}tools: { t: {} }\nrules: [{ id: a, tool: t, ${keys} }]\n`);
    expect(rule("then: deny, when: args.x, else: pause")).toEqual(["bad-value"]);
    expect(rule("then: allow, else: pause")).toEqual(["bad-value"]);
    expect(rule("then: deny, approval: {}")).toEqual(["bad-value"]);
    expect(rule("then: pause, approval: { route: fin }")).toEqual(["unknown-route"]);
    expect(rule("then: pause, agent: []")).toEqual(["empty"]);
    expect(rule("then: deny, when: \"'text'\"")).toEqual(["not-bool"]);
    expect(codes(`${base}routes: { default: { roles: [] } }\n`)).toEqual(["empty"]);
    expect(codes(`${base}routes: { default: { need: 0 } }\n`)).toEqual(["bad-value"]);
  });
});

describe("one file with every kind of mistake", () => {
  const text = `saferun: policy/v1
environments: { prod: {} }
rulse: []
tools:
  refund:
    kind: write
    schema: { type: object, properties: { amount: { type: integer }, note: { type: string } }, required: [amount, note] }
rules:
  - { id: a, tool: refnd, then: allow }
  - { id: b, tool: refund, when: args.amont > 1, then: allow }
  - { id: c, tool: refund, when: 'args.note > 5', then: deny }
  - { id: d, tool: refund, when: 'args.note.starsWith("x")', then: deny }
  - { id: e, tool: refund, then: deny, then: deny }
  - { id: f, tool: refund, then: denny }
`;

  it("[P1] does not load, and says all of them in one run, with their places and the nearest valid words", () => {
    const result = load(text);
    expect(result.ok).toBe(false);
    const found = result.ok ? [] : result.issues;
    const said = found.map(({ code, file, line, column, suggestion }) => [
      code,
      `${file}:${line}:${column}`,
      suggestion,
    ]);
    expect(said.toSorted()).toEqual([
      ["bad-value", "p1.yaml:14:34", "deny"],
      ["duplicate-key", "p1.yaml:13:40", undefined],
      ["unknown-arg", "p1.yaml:10:39", "amount"],
      ["unknown-function", "p1.yaml:12:45", "startsWith"],
      ["unknown-key", "p1.yaml:3:1", "rules"],
      ["unknown-tool", "p1.yaml:9:20", "refund"],
      ["wrong-type", "p1.yaml:11:35", undefined],
    ]);
  });
});
