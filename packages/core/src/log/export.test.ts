import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SafeRunError } from "../errors.ts";
import { type ExportLine, formatExportLine, parseExportLine } from "./export.ts";

const bytes = fc.oneof(
  fc.uint8Array(),
  fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
);
const size = fc.maxSafeNat();
const part = fc.oneof(
  fc.record({ name: fc.string(), salt: bytes, bytes }),
  fc.record({ name: fc.string(), salt: fc.constant(null), bytes: fc.constant(null) }),
);
const line: fc.Arbitrary<ExportLine> = fc.oneof(
  fc
    .record({
      log: fc.string(),
      size,
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      query: fc.option(fc.string()),
      key: fc.option(fc.string()),
    })
    .map((head) => ({ kind: "head" as const, head })),
  fc
    .record({ note: fc.string({ unit: "binary" }), rotations: fc.array(fc.record({ seq: size, note: fc.string() })) })
    .map((signed) => ({
      kind: "head" as const,
      head: { log: "l", size: 1, root: new Uint8Array(32), query: "tool:a", key: null, signed },
    })),
  fc
    .record({ seq: size, path: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 64 }) })
    .map((proof) => ({ kind: "proof" as const, ...proof })),
  fc
    .record({ seq: size, header: bytes, parts: fc.array(part, { maxLength: 3 }) })
    .map((entry) => ({ kind: "entry" as const, entry })),
  fc.record({ size, note: fc.string({ unit: "binary" }) }).map((found) => ({ kind: "checkpoint" as const, ...found })),
  size.map((entries) => ({ kind: "end" as const, entries })),
);

describe("export lines", () => {
  it("[L5~] carry every byte there and back, each on one line (trap 23)", () => {
    fc.assert(
      fc.property(line, (value) => {
        const text = formatExportLine(value);
        expect(text).not.toMatch(/[\n\r\u0085\u2028\u2029]/);
        expect(parseExportLine(text)).toEqual(value);
      }),
    );
  });

  it("a line ends nowhere else, whatever a reader takes for a line break (trap 23)", () => {
    const value: ExportLine = { kind: "checkpoint", size: 1, note: "a\u2028b\u2029c\u0085d\r\n" };
    expect(formatExportLine(value)).toBe('{"checkpoint":{"size":1,"note":"a\\u2028b\\u2029c\\u0085d\\r\\n"}}');
    expect(parseExportLine(formatExportLine(value))).toEqual(value);
  });

  it("anything else is refused, and never another error", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          line.map(formatExportLine).map((text) => text.slice(0, -2)),
        ),
        (text) => {
          try {
            formatExportLine(parseExportLine(text));
          } catch (error) {
            expect(error).toBeInstanceOf(SafeRunError);
            expect(error).toMatchObject({ code: "log.malformed" });
          }
        },
      ),
    );
  });

  it.each([
    ['{"saferun":"log-export/v2"}', /no `log-export\/v1`/],
    ['{"seq":-1,"header":"{}","parts":[]}', /an entry without/],
    ['{"seq":1,"header_base64":"?","parts":[]}', /an entry without/],
    ['{"seq":1,"header":"\\ud800","parts":[]}', /an entry without/],
    ['{"seq":1,"header":"{}","parts":[{"name":"a","salt":"AA=="}]}', /a part without salt and bytes/],
    ['{"checkpoint":{"size":"1","note":""}}', /a checkpoint without/],
    ["[]", /no object/],
  ])("%s", (text, message) => {
    expect(() => parseExportLine(text)).toThrow(message);
  });
});
