import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type InputLine, lineBatches } from "./lines.ts";

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function linesOf(bytes: Uint8Array, size: number, maxBytes?: number): Promise<InputLine[]> {
  const lines: InputLine[] = [];
  for await (const batch of lineBatches(chunksOf(bytes, size), maxBytes)) lines.push(...batch);
  return lines;
}

describe("lineBatches", () => {
  it("gives the same lines however the bytes arrive", async () => {
    const text = fc.array(
      fc.string({ unit: "grapheme" }).map((line) => line.replaceAll("\n", "").replaceAll("\ufeff", "")),
      { minLength: 1 },
    );
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (lines, size, ended) => {
        const bytes = new TextEncoder().encode(lines.join("\n") + (ended ? "\n" : ""));
        // A file that does not end its last line ends it all the same; an empty rest is no line.
        const whole = !ended && lines.at(-1) === "" ? lines.slice(0, -1) : lines;
        expect(await linesOf(bytes, size)).toEqual(whole.map((line) => ({ text: line })));
      }),
    );
  });

  it("gives the same lines in one piece and byte by byte, whatever the bytes are", async () => {
    const piece = fc.constantFrom([0x61], [0x62], [0x0a], [0x0a], [0xc3], [0xc3, 0xa4], [0xef, 0xbb, 0xbf], [0x0d]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        async (pieces, maxBytes) => {
          const bytes = new Uint8Array(pieces.flat());
          const alone = await linesOf(bytes, 1, maxBytes);
          for (const size of [5, 17, 1_000]) expect(await linesOf(bytes, size, maxBytes)).toEqual(alone);
        },
      ),
    );
  });

  it("bounds a line without keeping it, and goes on behind it", async () => {
    const bytes = new TextEncoder().encode(`${"x".repeat(100)}\nok\n${"y".repeat(9)}`);
    expect(await linesOf(bytes, 7, 8)).toEqual([
      { problem: "a line over 8 bytes" },
      { text: "ok" },
      { problem: "a line over 8 bytes" },
    ]);
  });

  it("names a line that is not UTF-8", async () => {
    expect(await linesOf(new Uint8Array([0xc3, 0x0a, 0x61]), 1)).toEqual([
      { problem: "a line that is not UTF-8" },
      { text: "a" },
    ]);
  });
});
