import { describe, expect, it } from "vitest";
import { createPrices } from "../prices.ts";
import { boundOf, surelyNotRun, usedOf } from "./ai-sdk-spend.ts";

/** A micro-dollar a token, whichever. */
const quote = createPrices({ "acme:m": { input: "1", output: "1" } }).quote("acme", "m", 0);
const listed = createPrices().quote("openai", "gpt-5-mini", Date.parse("2026-11-22T12:00:00Z"));
const text = [{ role: "user", content: [{ type: "text", text: "hi" }] }];
const sent = "x".repeat(38);

describe("the bound of a call [B2~]", () => {
  it("is three tokens for four bytes of all that is sent, and the longest answer", () => {
    const request = { prompt: text, maxOutputTokens: 100 };
    // Two quotes around it.
    expect(boundOf(quote, "acme", request, sent)).toEqual({ usdMicros: 130n, tokens: 130n });
    expect(boundOf(quote, "acme", request, "é".repeat(19))).toEqual({ usdMicros: 130n, tokens: 130n });
    expect(boundOf(undefined, "acme", request, sent)).toEqual({ usdMicros: null, tokens: 130n });
    expect(boundOf(quote, "acme", { ...request, tools: [{}] }, sent)).toMatchObject({ tokens: 130n + 1_024n });
  });

  it("is the model's window where the call says no longest answer, and unknown where nobody does", () => {
    expect(boundOf(listed, "openai", { prompt: text }, sent).tokens).toBe(30n + 400_000n);
    expect(boundOf(quote, "acme", { prompt: text }, sent)).toEqual({ usdMicros: null, tokens: null });
  });

  it("counts what the model may reason beside its answer", () => {
    const request = {
      prompt: text,
      maxOutputTokens: 100,
      providerOptions: { acme: { thinking: { budgetTokens: 50 } } },
    };
    expect(boundOf(quote, "acme", request, sent).tokens).toBe(180n);
    expect(boundOf(quote, "openai.responses", request, sent).tokens).toBe(130n);
    expect(boundOf(quote, "acme", { prompt: text, maxOutputTokens: 100, reasoning: "high" }, sent).tokens).toBeNull();
  });

  it.each<[string, object]>([
    ["a file", { prompt: [{ role: "user", content: [{ type: "file", mediaType: "application/pdf", data: "" }] }] }],
    [
      "a picture in a tool's result",
      {
        prompt: [
          {
            role: "tool",
            content: [{ type: "tool-result", output: { type: "content", value: [{ type: "image-url" }] } }],
          },
        ],
      },
    ],
    ["what the provider has kept", { prompt: text, providerOptions: { openai: { previousResponseId: "resp_1" } } }],
  ])("is unknown with %s, or the model's window", (_what, request) => {
    expect(boundOf(quote, "acme", { maxOutputTokens: 1, ...request }, sent)).toEqual({ usdMicros: null, tokens: null });
    expect(boundOf(listed, "openai", { maxOutputTokens: 1, ...request }, sent).tokens).toBe(400_001n);
  });

  it("has no price where the provider searches", () => {
    const providerOptions = { xai: { searchParameters: { mode: "on" } } };
    expect(boundOf(quote, "acme", { prompt: text, maxOutputTokens: 1, providerOptions }, sent).usdMicros).toBeNull();
  });

  it("has no price on a provider's faster tier", () => {
    const request = { prompt: text, maxOutputTokens: 1, providerOptions: { openai: { serviceTier: "priority" } } };
    expect(boundOf(quote, "acme", request, sent).usdMicros).toBeNull();
    expect(
      boundOf(quote, "acme", { ...request, providerOptions: { openai: { serviceTier: "auto" } } }, sent).usdMicros,
    ).toBe(31n);
  });

  it.each([-1, 0.5, Number.NaN, "100", Number.POSITIVE_INFINITY])(
    "is unknown with `maxOutputTokens` %s (trap 7)",
    (most) => {
      expect(boundOf(quote, "acme", { prompt: text, maxOutputTokens: most }, sent).usdMicros).toBeNull();
    },
  );
});

describe("what a call used [B2~]", () => {
  it.each<[string, unknown, bigint | null]>([
    [
      "in parts",
      { inputTokens: { total: 10, noCache: 6, cacheRead: 4 }, outputTokens: { total: 5, text: 2, reasoning: 3 } },
      15n,
    ],
    ["in totals", { inputTokens: { total: 10 }, outputTokens: { total: 5 } }, 15n],
    ["in plain numbers", { inputTokens: 10, outputTokens: 5, cachedInputTokens: 4 }, 19n],
    [
      "with reasoning beside the answer",
      { inputTokens: { total: 10 }, outputTokens: { total: 5, text: 5, reasoning: 7 } },
      22n,
    ],
    [
      "with a total that leaves the cache out",
      { inputTokens: { total: 6, noCache: 6, cacheRead: 4 }, outputTokens: { total: 5 } },
      15n,
    ],
    ["without the input", { inputTokens: { total: undefined }, outputTokens: { total: 5 } }, null],
    ["without the output", { inputTokens: { total: 5 }, outputTokens: {} }, null],
    ["with less than nothing", { inputTokens: { total: 5, cacheRead: -9 }, outputTokens: { total: 5 } }, null],
    ["with what is no number", { inputTokens: { total: "5" }, outputTokens: { total: 5 } }, null],
    ["with a fraction", { inputTokens: { total: 0.5 }, outputTokens: { total: 5 } }, null],
    ["by nothing", undefined, null],
    ["by null", null, null],
  ])("is told %s", (_what, usage, tokens) => {
    expect(usedOf(usage, quote, undefined)).toEqual(tokens === null ? null : { usdMicros: tokens, tokens });
  });
});

describe("a call that failed [B2~]", () => {
  const caused = (cause: object) => new Error("failed", { cause: new TypeError("fetch failed", { cause }) });

  it.each<[string, unknown, boolean]>([
    ["was refused", Object.assign(new Error("no"), { statusCode: 401 }), true],
    ["was too much", Object.assign(new Error("no"), { statusCode: 429 }), true],
    ["met no listener", caused({ code: "ECONNREFUSED" }), true],
    ["found no host", caused({ code: "ENOTFOUND" }), true],
    ["broke at the provider", Object.assign(new Error("no"), { statusCode: 500 }), false],
    ["broke after its answer began", Object.assign(new Error("no"), { statusCode: 200 }), false],
    ["was cut off", caused({ code: "ECONNRESET" }), false],
    ["took too long", new DOMException("timeout", "TimeoutError"), false],
    ["threw a text", "no", false],
    ["threw nothing", undefined, false],
  ])("that %s surely did no work: %s", (_what, error, answer) => {
    expect(surelyNotRun(error)).toBe(answer);
  });
});
