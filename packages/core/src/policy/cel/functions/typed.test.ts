import { describe, expect, it } from "vitest";
import { checkCel, compileCel, parseCel } from "../index.ts";
import { type CelEnv, DYN, STRING } from "../types.ts";

const ENV: CelEnv = {
  variables: { args: { kind: "object", fields: { to: STRING }, open: true }, now: { kind: "timestamp" }, any: DYN },
};

function parse(source: string) {
  const parsed = parseCel(source);
  if (!parsed.ok) throw new Error(parsed.issues[0]?.message);
  return parsed.expr;
}

function ask(source: string, args: unknown): boolean | string {
  const said = compileCel(parse(source), ENV).tryBool({ args });
  return typeof said === "boolean" ? said : `error: ${said.message}`;
}

function issues(source: string, env = ENV) {
  return checkCel(parse(source), env).issues.map(({ code, message }) => `${code}: ${message}`);
}

describe("typed functions in conditions", () => {
  it.each([
    ["a list where one address was meant", { to: ["bob@acme.com"] }],
    ["a map", { to: { mail: "bob@acme.com" } }],
    ["a number", { to: 5 }],
    ["null", { to: null }],
    ["nothing", {}],
    ["an empty text", { to: "" }],
    ["two addresses", { to: "bob@acme.com, eve@evil.example" }],
  ])("%s is an error, whichever way the rule asks (traps 7, 9)", (_name, args) => {
    const inside = 'inDomain(domain(args.to), "acme.com")';
    expect(ask(inside, args)).toMatch(/^error/);
    expect(ask(`!${inside}`, args)).toMatch(/^error/);
  });

  it.each([
    [
      "a nested object",
      "args.order.customer.country in ['CH', 'DE']",
      { order: { customer: { country: "CH" } } },
      { order: { customer: { country: ["CH"] } } },
    ],
    ["a list", "size(args.list) == 1 && args.list[0] == 'a'", { list: ["a"] }, { list: "a" }],
    [
      "a quantifier",
      "args.items.all(item, item.price > 0 && item.tags.exists(tag, tag == 'ok'))",
      { items: [{ price: 5, tags: ["x", "ok"] }] },
      { items: [{ price: 5, tags: [] }] },
    ],
    [
      "exact money",
      'dec(args.price) * args.count == dec("0.3")',
      { price: "0.1", count: 3 },
      { price: "0,1", count: 3 },
    ],
    ["exact money in doubles", 'dec(args.a) + dec(args.b) <= dec("0.3")', { a: 0.1, b: 0.2 }, { a: 0.1, b: 0.21 }],
    [
      "a mail domain",
      'inDomain(domain(args.to), "acme.com")',
      { to: "bob@mail.acme.com" },
      { to: "bob@acme.com.evil.example" },
    ],
    [
      "a URL's host",
      'inDomain(host(args.url), "acme.com")',
      { url: "https://acme.com/x" },
      { url: "https://acme.com@evil.example/" },
    ],
    ["an address", 'cidr(host(args.url), "10.0.0.0/8")', { url: "http://10.1.2.3/" }, { url: "http://0x0a010203/" }],
    ["a path", 'within(args.path, "/srv/data")', { path: "/srv/data/x" }, { path: "/srv/data/../../etc/passwd" }],
    ["a shell line", 'shell(args.cmd).all(c, c.name in ["ls", "cat"])', { cmd: "ls | cat" }, { cmd: "ls; rm -rf x" }],
    [
      "SQL",
      'sql(args.q).kind == "select" && sql(args.q).tables.all(t, t == "orders")',
      { q: "select * from orders where id = 5" },
      { q: "select * from orders; drop table orders" },
    ],
    ["invisible characters", "!hasInvisible(args.text)", { text: "plain" }, { text: "pl\u200bain" }],
  ])("[P4] %s: holds for what is meant, and not for what is bent (traps 7, 9, 10)", (_name, source, meant, bent) => {
    expect(checkCel(parse(source), { variables: { args: DYN } }).issues).toEqual([]);
    expect(ask(source, meant)).toBe(true);
    expect(ask(source, bent)).not.toBe(true);
  });

  it("an address that is bent does not pass a rule on its end, as it would with `endsWith` (trap 9)", () => {
    const args = { to: "eve@evil.example?x=@acme.com" };
    expect(ask('args.to.endsWith("@acme.com")', args)).toBe(true);
    expect(ask('inDomain(domain(args.to), "acme.com")', args)).toMatch(/^error/);
  });

  it("what they give is known at load", () => {
    expect(issues('shell(args.to).all(c, c.nmae == "ls")')).toEqual([
      "unknown-field: unknown field `c.nmae`: did you mean `name`?",
    ]);
    expect(issues('sql(args.to).where == "yes"')).toHaveLength(1);
    expect(issues("domain(5) == 'x'")).toEqual(["wrong-type: `domain` takes `domain(string)`, and was given an int"]);
    expect(issues('args.to.domain() == "x"')).toEqual(["wrong-type: `domain` is written `domain(string)`"]);
    expect(issues('domian(args.to) == "x"')).toEqual([
      "unknown-function: unknown function `domian`: did you mean `domain`?",
    ]);
  });

  it("names of features to come are reserved, and say so", () => {
    for (const name of ["record", "records", "grounded"]) {
      expect(issues(`${name}("order", args.to) == 1`)).toEqual([
        `not-available: \`${name}\` is not available in this version`,
      ]);
    }
    expect(issues("args.to in facts.payees")).toEqual(["not-available: `facts` is not available in this version"]);
  });

  it("zones by name need a calendar, and unknown ones are errors at load", () => {
    const env: CelEnv = { ...ENV, zones: (zone) => (zone === "Europe/Zurich" ? 3_600 : undefined) };
    const source = (zone: string) =>
      `now.getHours("${zone}") > 8 && day(now, "${zone}") != "" && time("2026-01-01", "${zone}") < now`;
    expect(issues(source("Europe/Zurich"), env)).toEqual([]);
    expect(issues(source("UTC"))).toEqual([]);
    expect(issues(source("Europe/Zurich"))).toHaveLength(3);
    expect(issues(source("Mars/Olympus"), env)).toEqual(
      Array(3).fill(expect.stringMatching(/^not-available: unknown time zone/)),
    );
  });

  it("are paid for by what they read (trap 13)", () => {
    const long = "a ".repeat(100_000);
    const many = Array.from({ length: 200 }, () => long);
    expect(ask("args.list.all(text, !holds(text, 'secret'))", { list: many })).toMatch(/^error: more than/);
    expect(ask("args.list.all(text, links(text) == [])", { list: many })).toMatch(/^error: more than/);
    expect(ask('glob(args.text, "*b*c*d*")', { text: "b".repeat(200_000) })).toMatch(/^error: more than/);
    const pairs = Array.from({ length: 10_000 }, () => 1);
    expect(ask("args.l.all(x, size(zip(args.l, args.l)) > 0)", { l: pairs })).toMatch(/^error: more than/);
  });
});
