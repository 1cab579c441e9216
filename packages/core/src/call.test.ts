import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callFromBytes, normalize, type ToolCall } from "./call.ts";
import { LIMITS } from "./limits.ts";
import type { Hash } from "./ports.ts";

const hash: Hash = { sha256: (bytes) => createHash("sha256").update(bytes).digest() };
const ask = (args: unknown, tool: unknown = "refund") =>
  normalize({ tool, args, agent: "bot", environment: "prod" }, hash);

function call(args: unknown, tool?: unknown): ToolCall {
  const result = ask(args, tool);
  if (!result.ok) throw new Error(`malformed at ${result.malformed.path}: ${result.malformed.message}`);
  return result.call;
}

function malformed(args: unknown, tool?: unknown): string {
  const result = ask(args, tool);
  return result.ok ? "accepted" : `${result.malformed.path}: ${result.malformed.message}`;
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return { value };
}

describe("normalize: what becomes a call", () => {
  it("gives one digest to one meaning, whatever the key order", () => {
    expect(call({ a: 1, b: { c: 2, d: 3 } }).digest).toBe(call({ b: { d: 3, c: 2 }, a: 1 }).digest);
  });

  it("gives other digests to another tool, agent, environment or value", () => {
    const digests = [
      call({ a: 1 }),
      call({ a: 2 }),
      call({ a: 1 }, "refund2"),
      callFromBytes({ tool: "refund", agent: "bot2", environment: "prod", bytes: '{"a":1}' }, hash),
      callFromBytes({ tool: "refund", agent: "bot", environment: "dev", bytes: '{"a":1}' }, hash),
    ].map((one) => one.digest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("takes a copy: what the caller changes afterwards changes nothing (trap 12)", () => {
    const args = { to: ["a@x.com"], amount: 1 };
    const before = call(args);
    args.to.push("evil@x.com");
    args.amount = 1_000_000;
    expect(before.args).toEqual({ to: ["a@x.com"], amount: 1 });
    expect(Object.isFrozen(before.args) && Object.isFrozen(before.args.to)).toBe(true);
  });

  it("drops what a framework left undefined, and reads missing arguments as none", () => {
    expect(call({ a: 1, b: undefined }).bytes).toBe('{"a":1}');
    expect(call(undefined).bytes).toBe("{}");
  });

  it("reads one name in two Unicode forms as one tool", () => {
    expect(call({}, "cafe\u0301").tool).toBe("caf\u00e9");
  });

  it("is injective: different arguments have different bytes, and bytes give the arguments back", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (args) => {
        const result = ask(args);
        if (!result.ok) return;
        const again = callFromBytes(
          { tool: "refund", agent: "bot", environment: "prod", bytes: result.call.bytes },
          hash,
        );
        expect(again.digest).toBe(result.call.digest);
        expect(again.args).toEqual(result.call.args);
      }),
    );
  });
});

describe("normalize: what does not (traps 7, 10)", () => {
  const hidden = Object.defineProperty({}, "amount", { enumerable: true, get: () => 1 });
  const cases: [name: string, args: unknown, message: RegExp][] = [
    ["NaN", { amount: Number.NaN }, /^\$\.args\.amount: the number NaN/],
    ["infinity", { amount: Number.POSITIVE_INFINITY }, /the number Infinity/],
    ["2^53+1", { amount: 2 ** 53 + 2 }, /beyond ±\(2\^53−1\)/],
    ["2^53", { amount: 2 ** 53 }, /beyond/],
    ["bigint", { amount: 1n }, /type bigint/],
    ["function", { amount: () => 1 }, /type function/],
    ["list as arguments", [1], /must be an object/],
    ["text as arguments", "amount=1", /must be an object/],
    ["null as arguments", null, /must be an object/],
    ["__proto__ from JSON", JSON.parse('{"__proto__":{"amount":1}}'), /`__proto__` is not allowed/],
    ["constructor", { constructor: { prototype: {} } }, /`constructor` is not allowed/],
    ["prototype, nested", { a: [{ prototype: 1 }] }, /^\$\.args\.a\[0\]\.prototype/],
    ["date", { at: new Date(0) }, /not plain/],
    ["map", { at: new Map() }, /not plain/],
    ["class instance", { at: new (class Money {})() }, /not plain/],
    ["list subclass", { at: new (class extends Array {})() }, /not plain/],
    ["accessor", hidden, /an accessor/],
    ["symbol key", { [Symbol("x")]: 1 }, /symbol/],
    ["hole in a list", { list: Object.assign([1], { length: 2 }) }, /hole/],
    ["null byte in text", { path: "a\u0000.txt" }, /null byte/],
    ["null byte in a key", { "a\u0000": 1 }, /control characters/],
    ["lone surrogate", { name: "\ud800" }, /lone surrogate/],
    ["keys that differ in case", { Amount: 1, amount: 2 }, /in two spellings/],
    ["keys that differ in Unicode form", { ﬁ: 1, fi: 2 }, /in two spellings/],
    ["deep nesting", nested(LIMITS.jsonDepth), /nesting over/],
    ["too many values", { list: Array.from({ length: LIMITS.jsonValues }, () => 0) }, /more than/],
    ["too many bytes", { text: "x".repeat(LIMITS.argsBytes) }, /over 1048576 bytes/],
  ];
  it.each(cases)("refuses %s", (_name, args, message) => {
    expect(malformed(args)).toMatch(message);
  });

  it.each([
    ["empty", ""],
    ["not text", 7],
    ["missing", undefined],
    ["null byte", "refund\u0000"],
    ["line break", "refund\n"],
    ["lone surrogate", "\udfff"],
    ["too long", "x".repeat(LIMITS.nameBytes + 1)],
  ])("refuses a tool name that is %s", (_name, tool) => {
    const result = normalize({ tool, args: {}, agent: "bot", environment: "prod" }, hash);
    expect(result.ok).toBe(false);
  });

  it("refuses what fights back while it is read", () => {
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("boo");
        },
      },
    );
    expect(malformed({ trap })).toBe("$: a value that cannot be read");
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(malformed(cycle)).toMatch(/nesting over/);
  });

  it("accepts nesting up to the bound, and then can write it again", () => {
    expect(ask(nested(LIMITS.jsonDepth - 1)).ok).toBe(true);
  });

  it("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withMap: true,
          withDate: true,
          withSparseArray: true,
          withNullPrototype: true,
        }),
        fc.anything(),
        (args, tool) => {
          const result = normalize({ tool, args, agent: "bot", environment: "prod" }, hash);
          expect(typeof result.ok).toBe("boolean");
        },
      ),
    );
  });
});
