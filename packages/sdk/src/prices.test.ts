import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createPrices, TABLE_VERSION } from "./prices.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const own = createPrices({
  "acme:small": { input: "3.00", output: "15.00" },
  "acme:cached": { input: "3", output: "15", cacheRead: "0.30", cacheWrite: "3.75", maxOutputTokens: 64 },
  "openai:gpt-5-mini": { input: "0.000001", output: "0" },
});
const listed = createPrices();

describe("prices of models [B2~]", () => {
  it("are the user's where there are some, exactly", () => {
    const quote = own.quote("acme", "small", NOW);
    expect(quote?.most(1_000_000n, 1_000_000n)).toBe(18_000_000n);
    expect(quote?.cost({ input: 1n, cacheRead: 0n, cacheWrite: 0n, output: 1n })).toBe(18n);
    expect(quote).toMatchObject({
      version: expect.stringMatching(/^user\/[0-9a-f]{12}$/),
      window: null,
      maxOutput: null,
    });
    expect(own.quote("acme.chat", "small", NOW)?.most(1n, 0n)).toBe(3n);
    expect(own.quote("openai.responses", "gpt-5-mini", NOW)?.most(1n, 999n)).toBe(1n);
  });

  it("of caches count as they are named, and the dearest in a bound", () => {
    const quote = own.quote("acme", "cached", NOW);
    const used = { input: 1_000n, cacheRead: 1_000n, cacheWrite: 1_000n, output: 1_000n };
    expect(quote?.cost(used)).toBe(3_000n + 300n + 3_750n + 15_000n);
    expect(quote?.most(1_000n, 0n)).toBe(3_750n);
    expect(quote?.maxOutput).toBe(64n);
  });

  it("are not known without an output's bound, unless the output costs nothing", () => {
    expect(own.quote("acme", "small", NOW)?.most(1n, null)).toBeNull();
    expect(own.quote("openai", "gpt-5-mini", NOW)?.most(1n, null)).toBe(1n);
  });

  it.each([
    ["openai.responses", "gpt-5-mini"],
    ["anthropic.messages", "claude-opus-4-5"],
    ["google.generative-ai", "gemini-2.5-pro"],
    ["amazon-bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0"],
    ["azure.responses", "gpt-4o"],
    ["mistral.chat", "mistral-large-latest"],
    ["xai.chat", "grok-4"],
    ["groq.chat", "llama-3.3-70b-versatile"],
    ["deepseek.chat", "deepseek-chat"],
    ["gateway", "anthropic/claude-sonnet-4-5"],
  ])("of the AI SDK's %s:%s are in the table", (provider, model) => {
    const quote = listed.quote(provider, model, NOW);
    expect(quote?.version).toBe(TABLE_VERSION);
    expect(quote?.most(1_000_000n, 0n)).toBeGreaterThan(0n);
    expect(quote?.most(0n, 1_000_000n)).toBeGreaterThan(0n);
  });

  it("rise with the length of the input where the table says so", () => {
    const quote = listed.quote("google.generative-ai", "gemini-2.5-pro", NOW);
    expect(
      [199_999n, 200_000n].map((tokens) => quote?.cost({ input: tokens, cacheRead: 0n, cacheWrite: 0n, output: 0n })),
    ).toEqual([249_999n, 500_000n]);
  });

  it("of a call as such count with each call", () => {
    expect(listed.quote("perplexity", "sonar", NOW)?.most(0n, 0n)).toBe(12_000n);
  });

  it("that nobody has named are unknown, and not zero (trap 19)", () => {
    for (const [provider, model] of [
      ["openai.responses", "gpt-99"],
      ["acme", "large"],
      ["", "gpt-5"],
      ["nobody", "gpt-5"],
      ["openai", ""],
      ["gateway", "gpt-5"],
      ["gateway", "gateway/gateway/gpt-5"],
    ] as const) {
      expect(own.quote(provider, model, NOW)).toBeUndefined();
    }
  });

  it("carry the version of the package that they are from", () => {
    const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(TABLE_VERSION).toBe(`genai-prices/${dependencies["@pydantic/genai-prices"]}`);
  });
});
