import { createMemoryStore } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { decision, headerOf, world } from "./world.ts";

const message = (index: number) => ({ role: "user", content: `message ${index} ${"words ".repeat(40)}` });
const history = (length: number) => Array.from({ length }, (_, index) => message(index));

async function storedBytes(steps: number): Promise<number> {
  const at = world();
  for (let step = 1; step <= steps; step++) {
    await at.gate.model.request(at.run, { model: "m", messages: history(step), settings: { tools: ["refund"] } });
  }
  const entries = await at.store.entries({ from: 0, limit: 10_000 });
  return entries.flatMap((entry) => entry.parts).reduce((sum, part) => sum + (part.bytes?.length ?? 0), 0);
}

describe("what the model is asked", () => {
  it("stores each message of a run once, and a growing prompt as what was added", async () => {
    const distinct = history(200).reduce((sum, one) => sum + JSON.stringify(one).length, 0);
    const bytes = await storedBytes(200);
    expect(bytes).toBeGreaterThan(distinct);
    // A prompt's own part costs some 230 bytes a step; nothing grows with the square of the steps.
    expect(bytes).toBeLessThan(distinct + 200 * 260 + 500);
  });

  it("takes a long history in one transaction of several entries", async () => {
    const at = world();
    await at.gate.model.request(at.run, { model: "m", messages: history(500), settings: {} });
    const types = await at.log();
    expect(types.filter((type) => type === "model.messages")).toHaveLength(15);
    expect(types.at(-1)).toBe("model.requested");
  });

  it("gives the messages back: each prompt names the one before, how much of it stays, and what is new", async () => {
    const at = world();
    const ask = (messages: unknown[]) => at.gate.model.request(at.run, { model: "m", messages, settings: {} });
    await ask([message(1), message(2)]);
    await ask([message(1), message(2), message(3)]);
    await ask([message(1), message(4)]);
    const parts = new Map<string, unknown>();
    const prompts: { commitment: string; value: { after: string | null; keep: number; messages: string[] } }[] = [];
    for (const entry of await at.store.entries({ from: 0, limit: 99 })) {
      const commitments = headerOf(entry).parts as Record<string, string>;
      for (const { name, bytes } of entry.parts) {
        const value = JSON.parse(new TextDecoder().decode(bytes ?? undefined)) as never;
        const commitment = commitments[name] ?? "";
        parts.set(commitment, value);
        if (name === "prompt") prompts.push({ commitment, value });
      }
    }
    const seen = new Map<string, string[]>();
    const texts = prompts.map(({ commitment, value }) => {
      const refs = [...(seen.get(value.after ?? "") ?? []).slice(0, value.keep), ...value.messages];
      seen.set(commitment, refs);
      return refs.map((ref) => parts.get(ref));
    });
    expect(texts).toEqual([
      [message(1), message(2)],
      [message(1), message(2), message(3)],
      [message(1), message(4)],
    ]);
  });

  it("does not let the model be asked where the question cannot be recorded", async () => {
    const store = createMemoryStore();
    const at = world({ store });
    await store.close();
    await expect(at.gate.model.request(at.run, { model: "m", messages: [], settings: {} })).rejects.toThrow();
  });
});

describe("headers stay within their bound", () => {
  it("a decision of very many rules is recorded, with the whole list in its part", async () => {
    const by = Array.from({ length: 300 }, (_, index) => `rule-with-a-rather-long-name-${index}`);
    const at = world({ judge: () => decision("deny", "x", { by }) });
    expect(await at.call({ amount: 1 })).toMatchObject({ status: "denied", denial: { rules: by } });
    const decided = (await at.store.entries({ from: 0, limit: 9 })).find(
      (entry) => headerOf(entry).type === "call.decided",
    );
    expect(new TextDecoder().decode(decided?.parts[0]?.bytes ?? undefined)).toContain(by[299]);
  });
});
