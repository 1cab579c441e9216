/** Callbacks → conditions, and what is refused because JavaScript would decide it while the condition is built. */
import { describe, expect, it } from "vitest";
import { isExpression } from "./builder.ts";
import { build } from "./condition.ts";
import type { AnyExpr, Condition, ConditionContext } from "./expressions.ts";
import { cel, opaque } from "./index.ts";

interface Args {
  readonly amount: number;
  readonly currency: "usd" | "eur";
  readonly name: string;
  readonly note?: string | null;
  readonly urgent: boolean;
  readonly items: readonly { readonly price: number; readonly tags: readonly string[] }[];
  readonly order: { readonly size: string; readonly eq: number; readonly "odd key": string };
  readonly labels: Readonly<Record<string, string>>;
  readonly free: unknown;
}

type Callback = (c: ConditionContext<Args>) => Condition | AnyExpr;

const text = (callback: Callback) => {
  const built = build(callback);
  return built?.kind === "text" ? built.text : built;
};

/** Past the type checker, as JavaScript would write it. */
const wrong = (callback: (c: Loose) => unknown) => {
  const built = build(callback);
  return built?.kind === "failed" ? built.problems.map(({ code }) => code).join() : built?.kind;
};
interface Loose extends ConditionContext {
  readonly args: ConditionContext["args"] & {
    readonly amount: AnyExpr & number;
    readonly name: AnyExpr & string;
    readonly urgent: AnyExpr;
    readonly items: AnyExpr & Iterable<AnyExpr>;
  };
}

describe("a callback builds the condition that a file would hold", () => {
  it.each<[Callback, string]>([
    [(c) => c.args.amount.gt(50_000).and(c.args.currency.eq("usd")), 'args.amount > 50000 && args.currency == "usd"'],
    [
      (c) => c.args.amount.ge(0).or(c.args.amount.lt(-5), c.args.urgent),
      "args.amount >= 0 || args.amount < -5 || args.urgent",
    ],
    [
      (c) => c.args.amount.le(1).or(c.args.urgent).and(c.args.urgent.not()),
      "(args.amount <= 1 || args.urgent) && !args.urgent",
    ],
    [(c) => c.args.amount.mul(2).add(1).mod(3).ne(0.5), "(args.amount * 2 + 1) % 3 != 0.5"],
    [
      (c) =>
        c.args.amount
          .sub(1)
          .div(2)
          .neg()
          .eq(2n ** 60n),
      "-((args.amount - 1) / 2) == 1152921504606846976",
    ],
    [
      (c) => c.args.name.startsWith("a").and(c.args.name.endsWith('"\\\u200b')),
      'args.name.startsWith("a") && args.name.endsWith("\\"\\\\\\u200b")',
    ],
    [(c) => c.args.name.lowerAscii().matches(/^ORD-\d{6}$/), 'args.name.lowerAscii().matches("^ORD-\\\\d{6}$")'],
    [(c) => c.args.name.trim().size().gt(c.args.amount), "args.name.trim().size() > args.amount"],
    [(c) => c.args.currency.in(["usd", "eur"]), 'args.currency in ["usd", "eur"]'],
    [(c) => c.principal.roles.includes("ops"), '"ops" in principal.roles'],
    [(c) => c.has(c.args.note).not().or(c.args.note.eq("x")), '!has(args.note) || args.note == "x"'],
    [(c) => c.args.note.orValue("").contains("x"), 'args.?note.orValue("").contains("x")'],
    [(c) => c.args.order.size.eq("XL").and(c.args.order.eq.gt(1)), 'args.order.size == "XL" && args.order.eq > 1'],
    [(c) => c.args.order["odd key"].eq("x"), 'args.order.`odd key` == "x"'],
    [
      (c) => c.args.labels.get("team").eq(c.principal.labels.get("team")),
      'args.labels["team"] == principal.labels["team"]',
    ],
    [(c) => c.args.items.all((item) => item.price.gt(0)), "args.items.all(item, item.price > 0)"],
    [
      (c) => c.args.items.exists((item) => item.tags.all((tag) => tag.ne("x").and(item.price.eq(1)))),
      'args.items.exists(item, item.tags.all(item2, item2 != "x" && item.price == 1))',
    ],
    [
      (c) =>
        c.args.items
          .filter((item) => item.price.gt(5))
          .map((item) => item.price)
          .includes(7),
      "7 in args.items.filter(item, item.price > 5).map(item, item.price)",
    ],
    [(c) => c.args.items.at(0).price.gt(1), "args.items[0].price > 1"],
    [
      (c) => c.args.items.existsOne((item) => c.named("item").eq(item.price)),
      "args.items.exists_one(item, .item == item.price)",
    ],
    [(c) => c.args.free.field("a").eq({ b: [1, null, true] }), 'args.free.a == {"b": [1, null, true]}'],
    [(c) => c.args.urgent, "args.urgent"],
    [
      (c) =>
        c.now
          .getHours("+01:00")
          .lt(8)
          .or(c.now.gt(c.timestamp("2026-01-01T00:00:00Z"))),
      'now.getHours("+01:00") < 8 || now > timestamp("2026-01-01T00:00:00Z")',
    ],
    [(c) => c.inDomain(c.domain(c.args.name), "acme.com"), 'inDomain(domain(args.name), "acme.com")'],
    [
      (c) => c.within(c.args.name, "/srv", "/srv").and(c.hasInvisible(c.args.name).not()),
      'within(args.name, "/srv", "/srv") && !hasInvisible(args.name)',
    ],
    [(c) => c.fn("int", c.args.name).gt(c.context.field("limit")), "int(args.name) > context.limit"],
    [(c) => cel("args.a   ==  1 || args.b").and(c.args.urgent), "(args.a == 1 || args.b) && args.urgent"],
    [
      (c) => cel("args.name").startsWith("x").and(c.call.depth.eq(0), c.run.untrusted),
      'args.name.startsWith("x") && call.depth == 0 && run.untrusted',
    ],
  ])("%#: %s", (callback, expected) => {
    expect(text(callback)).toBe(expected);
  });

  it("a piece of CEL alone is a condition", () => {
    expect(build(cel("args.a==1"))).toEqual({ kind: "text", text: "args.a == 1" });
    expect(build("args.a==1")).toBeUndefined();
  });

  it("constants from outside of the callback, and functions over it, are values like any other", () => {
    const limit = 5;
    const positive = (c: ConditionContext<Args>) => c.args.amount.gt(0);
    expect(text((c) => positive(c).and(c.args.amount.lt(limit)))).toBe("args.amount > 0 && args.amount < 5");
  });
});

describe("what JavaScript would decide while building is refused (traps 7, 8)", () => {
  it.each<[string, (c: Loose) => unknown]>([
    ["script-operator", (c) => c.args.urgent.eq(true) && c.args.amount.gt(5)],
    ["script-operator", (c) => c.args.urgent.eq(true) || c.args.amount.gt(5)],
    ["script-operator", (c) => (c.args.urgent.eq(true) ? c.args.amount.gt(5) : c.args.amount.gt(6))],
    ["script-operator", (c) => c.args.urgent ?? c.args.amount.gt(5)],
    [
      "script-operator",
      (c) => {
        if (c.args.urgent) return c.args.amount.gt(5);
        return c.args.amount.gt(6);
      },
    ],
    ["not-a-condition", (c) => !c.args.amount.gt(5)],
    ["not-a-condition", (c) => c.args.name.eq("x") === c.args.name.eq("y")],
    ["not-a-condition", (c) => c.args.amount.gt(5).and((c.args.name === "x") as never)],
    [
      "dropped-condition",
      (c) => {
        c.args.amount.gt(5);
        return c.args.name.eq("x");
      },
    ],
    [
      "dropped-condition",
      (c) => {
        const other = c.args.urgent;
        return [other, c.args.name.eq("x")][1];
      },
    ],
    [
      "dropped-condition",
      (c) => c.args.items.all((item: AnyExpr) => [item.lt(5), item.gt(1)].reduce((_, last) => last)),
    ],
    ["not-a-condition", () => undefined],
    ["not-a-condition", () => "args.amount > 5"],
    ["not-a-condition", async (c) => c.args.amount.gt(5)],
    ["not-a-condition", (c) => [...c.args.items].length > 3],
    ["not-a-condition", () => Reflect.get({}, "x").y],
    ["bad-value", (c) => c.args.amount.gt(Number.NaN)],
    ["bad-value", (c) => c.args.amount.gt(2 ** 60)],
    ["wrong-type", (c) => c.args.name.eq(undefined)],
    ["wrong-type", (c) => c.args.name.eq(new Date(0))],
    ["wrong-type", (c) => Reflect.apply(c.args.amount.gt, undefined, [1, 2])],
    ["wrong-type", (c) => c.args.items.all(true as never)],
    ["invalid-pattern", (c) => c.args.name.matches(/x/i)],
    ["syntax", (c) => cel("args.a == 1) || (true").and(c.args.amount.gt(5))],
    ["syntax", (c) => c.has(c.args.amount.gt(1))],
    ["limit", (c) => Array.from({ length: 50_000 }).reduce<AnyExpr>((all) => all.add(1), c.args.amount)],
  ])("%s: %s", (code, callback) => {
    expect(wrong(callback)).toBe(code);
  });

  it("a plain function is one that would run on values as it stands: marked opaque, by its text", () => {
    const plain = (c: Loose) => c.args.amount > 5;
    expect(build(plain)).toMatchObject({ kind: "opaque", version: plain.toString(), test: plain });
    expect(wrong(() => true)).toBe("opaque");
    expect(wrong((c) => c.args.name === "x")).toBe("opaque");
    expect(wrong((c) => c.args.name.startsWith("x") && c.args.amount > 5)).toBe("opaque");
  });

  it("an opaque condition has a version, or is refused", () => {
    expect(build(opaque(() => true, { version: "1" }))).toMatchObject({ kind: "opaque", version: "1" });
    expect(build(opaque(() => true, { version: " " }))).toMatchObject({ problems: [{ code: "missing-key" }] });
  });

  it("what stands in texts, patterns and comments is no operator", () => {
    const callback: Callback = (c) =>
      /* && */ c.args.name.matches(/^a?b||!c$/).and(c.args.name.ne("a && b ? !c : `d` // ")); // || !
    expect(text(callback)).toContain("a?b||!c");
  });

  it("an expression is nothing but an expression", () => {
    const probe: Callback = (c) => {
      const { amount } = c.args;
      expect(isExpression(amount)).toBe(true);
      expect(isExpression({})).toBe(false);
      expect(() => Number(amount)).toThrow();
      expect(() => `${amount}`).toThrow();
      expect(() => "x" in amount).toThrow();
      expect(() => Object.keys(amount)).toThrow();
      return amount.gt(1);
    };
    expect(text(probe)).toBe("args.amount > 1");
  });
});
