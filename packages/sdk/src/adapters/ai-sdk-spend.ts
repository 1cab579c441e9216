/** What a call of a model of the AI SDK costs at most, what it cost, and whether one that failed cost anything. */
import { inputTokenBound, type ModelBound } from "@saferun/core";
import type { Quote, TokenUsage } from "../prices.ts";

type Fields = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();
/** What a provider puts around the tools that it is told of, in its own words. */
const AROUND_TOOLS = 1_024n;

/**
 * From above; null for what nobody knows.
 * @param sent All that goes to the provider, as JSON data.
 */
export function boundOf(quote: Quote | undefined, provider: string, request: Fields, sent: unknown): ModelBound {
  const window = quote?.window ?? null;
  const counted = holdsAll(request) ? inputOf(request, sent) : null;
  const input = counted ?? window;
  const output = outputOf(provider, request, quote?.maxOutput ?? window);
  if (input === null) return { usdMicros: null, tokens: null };
  const priced = quote !== undefined && isOrdinary(request.providerOptions);
  return { usdMicros: priced ? quote.most(input, output) : null, tokens: output === null ? null : input + output };
}

function inputOf({ tools }: Fields, sent: unknown): bigint | null {
  let text: string | undefined;
  try {
    text = JSON.stringify(sent);
  } catch {
    return null;
  }
  const tokens = text === undefined ? undefined : inputTokenBound(encoder.encode(text).length);
  return tokens === undefined ? null : tokens + (Array.isArray(tools) && tools.length > 0 ? AROUND_TOOLS : 0n);
}

/** Providers for which `maxOutputTokens` bounds the reasoning as well. */
const REASONING_WITHIN: readonly string[] = ["openai", "azure"];

/** @param longest The longest answer of the model, where it is known. */
function outputOf(provider: string, request: Fields, longest: bigint | null): bigint | null {
  const { maxOutputTokens, reasoning, providerOptions } = request;
  if (maxOutputTokens === undefined || maxOutputTokens === null) return longest;
  const said = countOf(maxOutputTokens);
  if (said === undefined) return null;
  const [vendor = ""] = provider.split(".");
  if (REASONING_WITHIN.includes(vendor)) return said;
  // Others add what they reason to what they answer.
  const budgets = valuesOf(providerOptions, /budget/i).map(countOf);
  if (budgets.includes(undefined)) return null;
  const thought = budgets.reduce<bigint>((sum, one) => sum + (one ?? 0n), 0n);
  const wants = reasoning !== undefined && reasoning !== "none" && reasoning !== "provider-default";
  if (!wants) return said + thought;
  return longest === null ? null : said + thought + longest;
}

/** False where the bytes say nothing about the tokens: files, and what the provider has kept from before. */
function holdsAll({ prompt, providerOptions }: Fields): boolean {
  return (
    !holdsFile(prompt) &&
    valuesOf(providerOptions, /^(previous_?response_?id|conversation|container|cached_?content)$/i).length === 0
  );
}

const FILES = /file|image|media|audio|video|document/;

function holdsFile(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsFile);
  const { type, content, output, value: inner } = value as Fields;
  return (typeof type === "string" && FILES.test(type)) || [content, output, inner].some(holdsFile);
}

/** Ordinary prices: a provider's faster tiers cost several times as much, and what it searches costs on its own. */
function isOrdinary(providerOptions: unknown): boolean {
  const tiers = valuesOf(providerOptions, /^(service_?tier|speed)$/i);
  const searches = valuesOf(providerOptions, /^(search_?parameters|web_?search_?options|plugins)$/i);
  return searches.length === 0 && tiers.every((tier) => ORDINARY.includes(tier));
}

const ORDINARY: readonly unknown[] = [undefined, null, "auto", "default", "standard", "standard_only", "flex"];

/** Values of the keys that match, however deep. */
function valuesOf(options: unknown, key: RegExp): readonly unknown[] {
  if (typeof options !== "object" || options === null) return [];
  return Object.entries(options).flatMap(([name, value]: [string, unknown]) => [
    ...(key.test(name) && value !== undefined ? [value] : []),
    ...valuesOf(value, key),
  ]);
}

/** Null where the provider does not say what it used: a stream that was cut off, counts that are none. */
export function usedOf(usage: unknown, quote: Quote | undefined, providerOptions: unknown): ModelBound | null {
  const used = tokensOf(usage);
  if (used === undefined) return null;
  const priced = quote !== undefined && isOrdinary(providerOptions);
  const tokens = used.input + used.cacheRead + used.cacheWrite + used.output;
  return { usdMicros: priced ? quote.cost(used) : null, tokens };
}

/** Of contradicting counts the larger one holds. */
function tokensOf(usage: unknown): TokenUsage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage as Fields;
  // Version 6 and later say it in parts, version 5 in plain numbers.
  const input = partsOf(inputTokens) ?? { total: inputTokens, cacheRead: cachedInputTokens };
  const output = partsOf(outputTokens) ?? { total: outputTokens, reasoning: reasoningTokens };
  const counts = [
    input.total,
    input.noCache,
    input.cacheRead,
    input.cacheWrite,
    output.total,
    output.text,
    output.reasoning,
  ];
  if (counts.some((count) => count !== undefined && count !== null && countOf(count) === undefined)) return undefined;
  const [total, noCache, cacheRead, cacheWrite, answered, text, reasoned] = counts.map((count) => countOf(count) ?? 0n);
  const told = [input.total ?? input.noCache, output.total ?? output.text];
  if (told.some((count) => countOf(count) === undefined)) return undefined;
  const [read, written] = [cacheRead ?? 0n, cacheWrite ?? 0n];
  return {
    // Some totals leave out what the cache gave, and only the parts show it.
    input: typeof input.noCache === "number" ? largest(noCache ?? 0n, (total ?? 0n) - read - written) : (total ?? 0n),
    cacheRead: read,
    cacheWrite: written,
    output: largest(answered ?? 0n, (text ?? 0n) + (reasoned ?? 0n)),
  };
}

function partsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}

function countOf(value: unknown): bigint | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
}

function largest(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

/** The provider refused the request itself: nothing was generated. */
const REFUSED: readonly unknown[] = [400, 401, 402, 403, 404, 405, 413, 415, 422, 429];
/** No connection was made. */
const UNREACHED: readonly unknown[] = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
];

/** True only where the provider surely did no work. */
export function surelyNotRun(error: unknown): boolean {
  let cause: unknown = error;
  for (let depth = 0; depth < 8 && typeof cause === "object" && cause !== null; depth++) {
    const { statusCode, code, cause: next } = cause as Fields;
    if (statusCode !== undefined && statusCode !== null) return REFUSED.includes(statusCode);
    if (UNREACHED.includes(code)) return true;
    cause = next;
  }
  return false;
}
