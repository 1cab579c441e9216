import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalize } from "../../call.ts";
import type { Hash } from "../../ports.ts";
import type { ToolTraits } from "../../traits.ts";
import type { JsonObject } from "../../value/json.ts";
import { errorClass, isOfHealth } from "../error-class.ts";
import { callKeys, resultKeys, resultText } from "./fingerprint.ts";
import { masked } from "./mask.ts";
import { equalSlots, minHash } from "./minhash.ts";

const hash: Hash = { sha256: (bytes) => createHash("sha256").update(bytes).digest() };
const WRITE: ToolTraits = { kind: "write" };

function keys(args: JsonObject, traits: ToolTraits = WRITE, tool = "mail.send") {
  const normalized = normalize({ tool, args, agent: "bot", environment: "prod" }, hash);
  if (!normalized.ok) throw new Error(normalized.malformed.message);
  return callKeys(normalized.call, traits, hash);
}

const resultKey = (result: unknown, traits: ToolTraits = WRITE) =>
  resultKeys(resultText(result), traits, hash).resultKey;

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

  it("exist for whatever a tool gives back", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no");
        },
      },
    );
    for (const value of [cyclic, hostile, 10n, Number.NaN, "\ud800", Symbol("x"), () => 1, undefined, null]) {
      expect(resultKey(value)).toMatch(/^[0-9a-f]{32}$/);
    }
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const { resultKey: key, minHash: mini } = resultKeys(
          resultText(value),
          { kind: "read", progress: "$.a[]" },
          hash,
        );
        expect(key).toMatch(/^[0-9a-f]{32}$/);
        expect(mini).toMatch(/^[0-9a-f]{128}$/);
      }),
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

describe("MinHash", () => {
  it("estimates how much two texts share", () => {
    const words = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => `word${from + at}`).join(" ");
    expect(equalSlots(minHash(words(0, 200)), minHash(words(0, 200)))).toBe(16);
    expect(equalSlots(minHash(words(0, 200)), minHash(words(0, 190)))).toBeGreaterThanOrEqual(11);
    expect(equalSlots(minHash(words(0, 200)), minHash(words(500, 700)))).toBeLessThanOrEqual(3);
    expect(equalSlots("", "")).toBe(0);
  });

  it("is near the true share on the whole, for texts of many sizes", () => {
    let error = 0;
    let texts = 0;
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
        error += equalSlots(minHash(one.join(" ")), minHash(other.join(" "))) / 16 - share;
        texts++;
      }
    }
    // One text's estimate has a deviation of about 0.12, the mean of 117 of about 0.011.
    expect(Math.abs(error / texts)).toBeLessThan(0.035);
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
