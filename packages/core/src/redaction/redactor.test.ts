import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../call.ts";
import type { EntryDraft } from "../log/entry.ts";
import { encodePart } from "../log/part.ts";
import { fromBase64, toBase64 } from "../value/bytes.ts";
import { canonicalJson, type Json } from "../value/json.ts";
import { createRedactor, type RedactorOptions } from "./redactor.ts";

const SECRET = 'hunter2 äö/+="quoted"';
const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The contents of an entry's parts after it was redacted. */
function redacted(parts: Readonly<Record<string, unknown>>, options: RedactorOptions = {}, tool?: string) {
  const drafts = Object.entries(parts).map(([name, value]) => ({
    name,
    salt: random.bytes(32),
    bytes: encodePart(value),
  }));
  const entry: EntryDraft = { type: "call.finished", parts: drafts, ...(tool === undefined ? {} : { tool }) };
  const redactor = createRedactor(options);
  const once = redactor.transaction({ entries: [entry] }, random);
  const twice = redactor.transaction(once, random);
  expect(contents(twice.entries[0])).toEqual(contents(once.entries[0]));
  return contents(once.entries[0]);
}

function contents(entry: EntryDraft | undefined): Record<string, unknown> {
  return Object.fromEntries((entry?.parts ?? []).map(({ name, bytes }) => [name, JSON.parse(decoder.decode(bytes))]));
}

/** The secret among other bytes, in each way that a text may carry it. */
const CARRIED: Readonly<Record<string, (secret: string) => string>> = {
  raw: (secret) => `token ${secret} end`,
  "in JSON": (secret) => JSON.stringify({ token: secret }),
  "in JSON in JSON": (secret) => JSON.stringify({ body: JSON.stringify({ token: secret }) }),
  base64: (secret) => toBase64(encoder.encode(secret)),
  "base64 after one byte": (secret) => toBase64(encoder.encode(`x${secret}yy`)),
  "base64 after two bytes": (secret) => toBase64(encoder.encode(`xx${secret}y`)),
  "HTTP basic": (secret) => `Basic ${toBase64(encoder.encode(`user:${secret}`))}`,
  base64url: (secret) =>
    toBase64(encoder.encode(`ab${secret}`))
      .replaceAll("+", "-")
      .replaceAll("/", "_"),
  hex: (secret) => toHex(encoder.encode(`ab${secret}`)),
  "upper-case hex": (secret) => toHex(encoder.encode(secret)).toUpperCase(),
  URL: (secret) => `https://x.example/?t=${encodeURIComponent(secret)}&u=1`,
  "lower-case URL": (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  form: (secret) => `t=${encodeURIComponent(secret).replaceAll("%20", "+")}`,
};

describe("redaction of the record", () => {
  it.each(Object.keys(CARRIED))("[L6~] finds a given secret: %s", (way) => {
    const text = CARRIED[way]?.(SECRET) ?? "";
    const { result, redacted: paths } = redacted({ result: { deep: [{ text }] } }, { secrets: [SECRET] });
    expect(paths).toEqual({ result: ["/deep/0/text"] });
    expect(canonicalJson(result)).toContain("[redacted]");
    expect(canonicalJson(result)).not.toContain("hunter");
  });

  it("[L6~] leaves no byte of a secret behind in base64, wherever it begins and ends", () => {
    const value = fc.string({ minLength: 6, maxLength: 40, unit: "grapheme" }).filter((one) => one.length >= 6);
    const bytes = fc.uint8Array({ maxLength: 9 });
    fc.assert(
      fc.property(value, bytes, bytes, (secret, before, after) => {
        const whole = toBase64(new Uint8Array([...before, ...encoder.encode(secret), ...after]));
        const { result } = redacted({ result: whole }, { secrets: [secret], kinds: [] });
        const pieces = String(result).split("[redacted]");
        expect(pieces.length).toBeGreaterThan(1);
        const [first = ""] = pieces;
        // What is left in front decodes to nothing but what stood before the secret.
        const kept = fromBase64(first.slice(0, first.length - (first.length % 4)));
        expect(kept).toEqual(new Uint8Array([...before, ...encoder.encode(secret)]).slice(0, kept?.length));
        expect(kept?.length ?? 0).toBeLessThanOrEqual(before.length);
      }),
    );
  });

  it("[L6~] masks keys, numbers, bytes and broken texts too", () => {
    const bytes = encoder.encode(`xx${SECRET}`);
    expect(redacted({ result: { [SECRET]: 1 } }, { secrets: [SECRET] }).result).toEqual({ "[redacted]": 1 });
    expect(redacted({ result: { pin: 12345678 } }, { secrets: ["12345678"] }).result).toEqual({ pin: "[redacted]" });
    expect(redacted({ result: bytes }, { secrets: [SECRET] }).result).toBe("[redacted]");
    expect(redacted({ result: `\ud800 ${SECRET}` }, { secrets: [SECRET] }).result).toMatchObject({
      encoding: "utf-16",
    });
    const broken = redacted({ result: `\ud800 ${SECRET}` }, { secrets: [SECRET] }).result as { data: string };
    expect(new TextDecoder("utf-16le").decode(fromBase64(broken.data))).not.toContain("hunter");
    const cyclic: Record<string, unknown> = { token: SECRET };
    cyclic.self = cyclic;
    expect(canonicalJson(redacted({ result: cyclic }, { secrets: [SECRET] }).result)).not.toContain("hunter");
  });

  it("[L6~] takes out keys and tokens by default, cards and IBANs on demand", () => {
    const key = `sk-proj-${"A1b2C3d4".repeat(4)}`;
    const [card, iban] = ["4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"];
    const parts = { prompt: [key, `{"a":"\\n${key}"}`, card, iban, "4111 1111 1111 1112"] };
    const masked = ["[redacted]", expect.stringContaining("[redacted]")];
    expect(redacted(parts).prompt).toEqual([...masked, card, iban, "4111 1111 1111 1112"]);
    const all = redacted(parts, { kinds: ["secret", "card", "iban"] });
    expect(all.prompt).toEqual([...masked, "[redacted]", "[redacted]", "4111 1111 1111 1112"]);
    expect(canonicalJson(all.prompt)).not.toContain("A1b2");
  });

  it("[L6~] takes out what stands at a declared path of a tool, and of no other", () => {
    const paths = { login: ["args.password", "args.users[].pin", "result.token"] };
    const args = { password: { a: 1 }, users: [{ pin: 1, name: "x" }, { pin: 2 }], token: "kept" };
    const one = redacted({ arguments: args, result: { token: "t" } }, { paths }, "login");
    expect(one).toEqual({
      arguments: {
        password: "[redacted]",
        users: [{ pin: "[redacted]", name: "x" }, { pin: "[redacted]" }],
        token: "kept",
      },
      result: { token: "[redacted]" },
      redacted: { arguments: ["/password", "/users/0/pin", "/users/1/pin"], result: ["/token"] },
    });
    expect(redacted({ arguments: args }, { paths }, "other")).toEqual({ arguments: args });
    const request = { tool: "login", arguments: { password: 1, bad: null } };
    expect(redacted({ request }, { paths }).request).toEqual({
      ...request,
      arguments: { password: "[redacted]", bad: null },
    });
  });

  it("changes nothing of what holds no secret", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parts = redacted({ result: value }, { secrets: ["a value that is nowhere"], kinds: [] });
        expect(parts).toEqual(
          contents({
            type: "call.lost",
            parts: [{ name: "result", salt: random.bytes(32), bytes: encodePart(value) }],
          }),
        );
      }),
    );
  });

  it("looks through a text of a megabyte in a bounded number of passes", () => {
    const text = `${"AKIA eyJ sk-".repeat(90_000)}${SECRET}`;
    const { result } = redacted({ result: text } as Record<string, Json>, {
      secrets: [SECRET],
      kinds: ["secret", "card", "iban"],
    });
    expect(String(result).endsWith("[redacted]")).toBe(true);
  });

  it("refuses what it cannot keep", () => {
    expect(() => createRedactor({ secrets: ["short"] })).toThrow(/fewer than 6/);
    expect(() => createRedactor({ kinds: ["phone" as "card"] })).toThrow(/`phone` is no kind/);
    expect(() => createRedactor({ paths: { x: ["password"] } })).toThrow(/`password` is no path/);
  });
});
