import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalize } from "../../call.ts";
import type { Hash } from "../../ports.ts";
import type { ToolTraits } from "../../traits.ts";
import type { JsonObject } from "../../value/json.ts";
import { errorClass, isOfHealth } from "../error-class.ts";
import { bytesOf } from "../testing/scripted-run.ts";
import { callKeys, resultKeys } from "./fingerprint.ts";
import { maskInto } from "./mask.ts";
import { equalSlots, minHash } from "./minhash.ts";

const hash: Hash = { sha256: (bytes) => createHash("sha256").update(bytes).digest() };
const WRITE: ToolTraits = { kind: "write" };

function keys(args: JsonObject, traits: ToolTraits = WRITE, tool = "mail.send") {
  const normalized = normalize({ tool, args, agent: "bot", environment: "prod" }, hash);
  if (!normalized.ok) throw new Error(normalized.malformed.message);
  return callKeys(normalized.call, traits, hash);
}

const resultKey = (result: unknown, traits: ToolTraits = WRITE) => resultKeys(bytesOf(result), traits, hash).resultKey;

function masked(text: string): string {
  const bytes = bytesOf(text);
  const target = new Uint8Array(bytes.length);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(target.subarray(0, maskInto(bytes, target, 0)));
}

const sketch = (text: string) => minHash(bytesOf(text));

describe("call keys", () => {
  it("are the same for any order of keys (trap 20)", () => {
    const one = keys({ to: "a@x.com", body: { x: 1, y: [1, 2] } });
    expect(keys({ body: { y: [1, 2], x: 1 }, to: "a@x.com" }).callKey).toBe(one.callKey);
    expect(keys({ body: { y: [2, 1], x: 1 }, to: "a@x.com" }).callKey).not.toBe(one.callKey);
    expect(keys({ to: "a@x.com", body: { x: 1, y: [1, 2] } }, WRITE, "mail.draft").callKey).not.toBe(one.callKey);
  });

  it("leave out volatile arguments, at any depth and in lists", () => {
    const traits: ToolTraits = { kind: "write", volatile: ["nonce", "meta.id", "items[].id"] };
    const args = (n: number) => ({ to: "a", nonce: n, meta: { id: n, kind: "k" }, items: [{ id: n, sku: "s" }] });
    expect(keys(args(1), traits).callKey).toBe(keys(args(2), traits).callKey);
    expect(keys({ ...args(1), to: "b" }, traits).callKey).not.toBe(keys(args(1), traits).callKey);
    expect(keys({ ...args(1), items: [] }, traits).callKey).not.toBe(keys(args(1), traits).callKey);
  });

  it("know an act by its identity arguments alone, and not at all where none are declared", () => {
    const traits: ToolTraits = { kind: "write", identity: ["to", "subject"] };
    const one = keys({ to: "a", subject: "s", body: "first" }, traits);
    expect(keys({ to: "a", subject: "s", body: "other words" }, traits).identityKey).toBe(one.identityKey);
    expect(keys({ to: "b", subject: "s", body: "first" }, traits).identityKey).not.toBe(one.identityKey);
    expect(keys({ to: "s", subject: "a", body: "first" }, traits).identityKey).not.toBe(one.identityKey);
    expect(keys({ to: "a" }).identityKey).toBeNull();
  });

  it("tell recipients apart by address and not by spelling", () => {
    const traits: ToolTraits = { kind: "write", recipients: ["to[]", "cc"] };
    const one = keys({ to: ["Ann@X.com ", "ann@x.com"], cc: "bob@x.com" }, traits);
    expect(one.recipients).toHaveLength(2);
    expect(keys({ to: ["ann@x.com"] }, traits).recipients).toEqual(one.recipients.slice(0, 1));
    expect(keys({ to: Array.from({ length: 500 }, (_, at) => `${at}@x.com`) }, traits).recipients).toHaveLength(64);
  });
});

describe("result keys", () => {
  it.each([
    ["a time", "done at 2026-05-01T09:30:00.123Z", "done at 2026-05-01T09:31:07Z"],
    ["a time of day", "[09:30:00.5] ready", "[10:00:01] ready"],
    ["a duration", "3 passed in 0.42s", "3 passed in 1.7s"],
    ["a duration in words", "took 12 seconds", "took 9 seconds"],
    ["a UUID", "id 123e4567-e89b-12d3-a456-426614174000", "id 9b2d4f10-aaaa-4bcd-8123-0123456789ab"],
    ["a prefixed id", "request req_8fK2mPq0Zx91 failed", "request req_1aB2cD3eF4g5 failed"],
    ["a digest", "commit 9fceb02d0ae598e95dc970b74767f19372d61af8", "commit 1dd80a9c0ae598e95dc970b74767f193aaaaaaa1"],
    ["an address", "<object at 0x7f3a9c0012>", "<object at 0x7f3b000fff>"],
    ["an epoch", '{"at":1767225600}', '{"at":1767225777123}'],
    ["white space", "a  b\n", "a b"],
  ])("ignore %s", (_what, one, other) => {
    expect(resultKey(one)).toBe(resultKey(other));
  });

  it.each([
    ["a count that goes on", "building 1/40", "building 4/40"],
    ["a page", '{"next":"c1"}', '{"next":"c2"}'],
    ["an amount", "total 12.50", "total 12.51"],
    ["a line", "TS2322 at a.ts:40", "TS2322 at a.ts:41"],
    ["a word", "open", "closed"],
    ["a date without time", "due 2026-05-01", "due 2026-05-02"],
    ["nothing", "", "0"],
  ])("see %s (trap 20)", (_what, one, other) => {
    expect(resultKey(one)).not.toBe(resultKey(other));
  });

  it("are the declared progress where the result has it, else the whole", () => {
    const traits: ToolTraits = { kind: "read", progress: "$.cursor" };
    expect(resultKey({ cursor: "a", noise: 1 }, traits)).toBe(resultKey({ cursor: "a", noise: 2 }, traits));
    expect(resultKey('{"cursor":"a","noise":1}', traits)).toBe(resultKey({ cursor: "a" }, traits));
    expect(resultKey({ cursor: "b" }, traits)).not.toBe(resultKey({ cursor: "a" }, traits));
    expect(resultKey({ noise: 1 }, traits)).not.toBe(resultKey({ noise: 2 }, traits));
  });

  it("of equal results are equal, whatever bytes a tool gives back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const traits: ToolTraits = { kind: "read", progress: "$.a[]" };
        const keys = resultKeys(bytes, traits, hash);
        expect(resultKeys(bytes.slice(), traits, hash)).toEqual(keys);
        expect(keys.resultKey).toMatch(/^[0-9a-f]{32}$/);
        expect(keys.minHash).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });

  it("read the lines of a text inside of JSON", () => {
    const content = (took: string) => ({ content: [{ type: "text", text: `no hits\n${took}\nready` }] });
    expect(resultKey(content("12ms"))).toBe(resultKey(content("9ms")));
    expect(resultKey(content("12 rows"))).not.toBe(resultKey(content("9 rows")));
  });

  it("mask what patterns over the whole text would, in one pass", () => {
    const noise = ["2026-05-01T09:30:00.123Z", "09:30:00", "12ms", "0x7f3a9c", "req_8fK2mPq0Zx91", "9fceb02d0ae598e9"];
    const parts = [...noise, "1767225600", "3", "12.5", "a3", "3 seconds", "7 µs", "é", "µs", "_", "-", ".", ":", "+"];
    const piece = fc.oneof(
      fc.constantFrom(...parts, " ", "\t", "\u00a0", "\n", "\\", "s"),
      fc.string({ maxLength: 4 }),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join("");
        expect(masked(text)).toBe(maskedByPatterns(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("see a change in the middle of a text that is too long to be masked whole", () => {
    const long = (middle: string) => `${"head ".repeat(10_000)}${middle}${" tail".repeat(10_000)}`;
    expect(resultKey(long("one"))).not.toBe(resultKey(long("two")));
    expect(resultKey(long("one"))).toBe(resultKey(long("one")));
  });

  it("are masked in linear time", () => {
    // Each would take for ever with a pattern that backtracks.
    for (const text of ["1".repeat(300_000), "a1".repeat(150_000), "req_".repeat(70_000), `${"f".repeat(99_999)}g`]) {
      expect(masked(text).length).toBeGreaterThan(0);
    }
  });
});

/** What `maskInto` does, said with patterns that look back and forth. */
function maskedByPatterns(text: string): string {
  const inner = String.raw`(?:[\wµ]|-(?=[\wµ])|(?<=\d)[.:+](?=\d))*`;
  const units = "(?:ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?)(?![A-Za-z0-9_])";
  const tokens = new RegExp(
    String.raw`\\[^]|[\t-\r \u00a0]+|(?<counted>\d${inner}(?<=\d)) ${units}|(?<word>[\wµ]${inner})`,
    "g",
  );
  const whole = text.replace(tokens, (token, ...rest) => {
    const { counted, word } = rest.at(-1) as { counted?: string; word?: string };
    const named = counted ?? word;
    if (named === undefined) return token.startsWith("\\") ? token : " ";
    if (named.length > 128) return token;
    if (isNoise(named)) return `#${token.slice(named.length)}`;
    return counted === undefined ? token : "#";
  });
  return whole.replace(/ {2,}/g, " ").replace(/^ | $/g, "");
}

function isNoise(word: string): boolean {
  const forms = [
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?$/i,
    /^\d\d:\d\d:\d\d(?:\.\d{1,9})?$/,
    /^\d{1,12}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|secs?|mins?)$/,
    /^[1-9]\d{9}(?:\d{3})?(?:\.\d{1,9})?$/,
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    /^0x[0-9a-fA-F]{4,64}$/,
    /^(?=.*\d)(?=.*[a-f])[0-9a-f]{12,128}$/,
    /^[A-Za-z]{2,12}[_-](?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{10,64}$/,
  ];
  return forms.some((form) => form.test(word));
}

describe("MinHash", () => {
  it("estimates how much two texts share", () => {
    const words = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => `word${from + at}`).join(" ");
    expect(equalSlots(sketch(words(0, 200)), sketch(words(0, 200)))).toBe(16);
    expect(equalSlots(sketch(words(0, 200)), sketch(words(0, 190)))).toBeGreaterThanOrEqual(11);
    expect(equalSlots(sketch(words(0, 200)), sketch(words(500, 700)))).toBeLessThanOrEqual(3);
    expect(equalSlots("", "")).toBe(0);
    expect(equalSlots(sketch("One  two-THREE"), sketch("one two three"))).toBe(16);
  });

  it("is near the true share, for texts of many sizes", () => {
    const errors: number[] = [];
    for (let size = 20; size <= 400; size += 10) {
      for (const kept of [0.4, 0.65, 0.85]) {
        const cut = Math.round(size * kept);
        const words = (name: string, from: number) =>
          Array.from({ length: size - from }, (_, at) =>
            createHash("md5").update(`${name} ${size} ${kept} ${at}`).digest("hex"),
          );
        const one = words("one", 0);
        const other = [...one.slice(0, cut), ...words("other", cut)];
        const share = (cut - 2) / (2 * (size - 2) - (cut - 2));
        errors.push(equalSlots(sketch(one.join(" ")), sketch(other.join(" "))) / 16 - share);
      }
    }
    const mean = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
    // One text's estimate has a deviation of about 0.12, the mean of 117 of about 0.011.
    expect(Math.abs(mean(errors))).toBeLessThan(0.035);
    expect(Math.sqrt(mean(errors.map((error) => error ** 2)))).toBeLessThan(0.14);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(0.5);
  });

  it("of two makings share nothing, and those of an older store are compared among themselves", () => {
    const [older, other] = ["0123abcd".repeat(16), `${"0123abcd".repeat(8)}${"ffffffff".repeat(8)}`];
    expect(equalSlots(older, other)).toBe(8);
    expect(equalSlots(older, sketch("a text"))).toBe(0);
    expect(equalSlots("lost", "lost")).toBe(0);
  });
});

describe("error classes", () => {
  it.each([
    [{ status: 429 }, "rate_limit"],
    [{ status: 503 }, "server_error"],
    [{ status: 504 }, "timeout"],
    [{ status: 404 }, "not_found"],
    [{ status: 403 }, "denied"],
    [{ status: 409 }, "conflict"],
    [{ status: 422 }, "invalid"],
    [{ code: "ETIMEDOUT" }, "timeout"],
    [{ code: "ECONNREFUSED" }, "server_error"],
    [{ code: "card_declined" }, "code:card_declined"],
    [{ code: -32602 }, "invalid"],
    [{ code: -32603 }, "server_error"],
    [{ code: "constructor" }, "code:constructor"],
    [{ timedOut: true, status: 500 }, "timeout"],
    [{ status: 200 }, "error"],
    [{}, "error"],
  ])("of %j is %s", (failure, expected) => {
    expect(errorClass(failure)).toBe(expected);
  });

  it("of health are left to the health breaker", () => {
    expect(["rate_limit", "server_error", "timeout", "invalid", null].filter(isOfHealth)).toEqual([
      "rate_limit",
      "server_error",
    ]);
  });
});
