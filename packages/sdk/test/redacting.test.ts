import { encodePart } from "@saferun/core";
import { nodeRandom } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { Redacting } from "../src/redacting.ts";

function recorded(redacting: Redacting, text: string): string {
  const part = { name: "result", salt: nodeRandom.bytes(32), bytes: encodePart(text) };
  const { entries } = redacting.transaction({ entries: [{ type: "call.finished", parts: [part] }] }, nodeRandom);
  return new TextDecoder().decode(entries[0]?.parts?.[0]?.bytes);
}

describe("what wraps of one store name", () => {
  it("[L6~] is masked for all of them, and a secret that was replaced stays one", () => {
    const redacting = new Redacting();
    let current = "first-secret";
    redacting.add({ secrets: () => [current] });
    redacting.add({ secrets: ["of another wrap"], kinds: ["card"] });
    current = "second-secret";
    const text = "first-secret second-secret, of another wrap, 4111 1111 1111 1111";
    expect(recorded(redacting, text)).toBe('"[redacted] [redacted], [redacted], [redacted]"');
  });

  it("stops every commit while a secret is named that cannot be looked for", () => {
    const redacting = new Redacting();
    let current: unknown = ["first-secret"];
    redacting.add({ secrets: () => current as string[] });
    current = ["first-secret", "tiny"];
    for (let count = 0; count < 2; count++) expect(() => recorded(redacting, "tiny")).toThrow(/fewer than 6/);
    current = [];
    expect(recorded(redacting, "first-secret")).toBe('"[redacted]"');
    current = [undefined];
    for (let count = 0; count < 2; count++) expect(() => recorded(redacting, "x")).toThrow(/must be a list of texts/);
  });
});
