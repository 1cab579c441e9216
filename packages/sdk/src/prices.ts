/** What models cost: the user's own table, else that of `@pydantic/genai-prices`, which comes with the package. No network. */
import { calcPrice, findProvider, type ModelPrice, type TieredPrices } from "@pydantic/genai-prices";
import { modelCost, parseDecimal, SafeRunError, toHex } from "@saferun/core";
import { nodeHash } from "@saferun/store";

/** Dollars for a million tokens, as decimal texts: `"3.00"`, and no more than six digits after the point. */
export interface PriceEntry {
  readonly input: string;
  readonly output: string;
  /** Input that the provider has kept from before. Absent: as `input`. */
  readonly cacheRead?: string;
  /** Input that the provider keeps for later. Absent: as `input`. */
  readonly cacheWrite?: string;
  /** The longest answer of this model: the bound of a call that names no `maxOutputTokens` itself. */
  readonly maxOutputTokens?: number;
}

/** `PROVIDER:MODEL` as the framework names them; the provider's interface may be left out (`openai` for `openai.responses`). */
export type PriceTable = Readonly<Record<string, PriceEntry>>;

/** Tokens that one call used. */
export interface TokenUsage {
  /** Neither read from a cache nor written to one. */
  readonly input: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  /** Reasoning included. */
  readonly output: bigint;
}

export interface Quote {
  /** Names the table: stands in the record of the call. */
  readonly version: string;
  /** What all of the model's input and output is within; null where the table does not say. */
  readonly window: bigint | null;
  /** The longest answer; null where the table does not say. */
  readonly maxOutput: bigint | null;
  /** Millionths of a dollar, rounded up; the dearest that such a call can be. Null where the output counts and is unknown. */
  most(input: bigint, output: bigint | null): bigint | null;
  /** Millionths of a dollar, rounded up. Null for counts that are none. */
  cost(usage: TokenUsage): bigint | null;
}

export interface Prices {
  /** Undefined where nobody has named a price: it is unknown, and not zero. `at`: ms. */
  quote(provider: string, model: string, at: number): Quote | undefined;
}

/** Of the package that this one depends on; a test holds both equal. */
export const TABLE_VERSION = "genai-prices/0.1.8";

const MICROS = 6;

/** @throws SafeRunError `option.invalid` for an entry that is none. */
export function createPrices(table: PriceTable = {}): Prices {
  if (typeof table !== "object" || table === null || Array.isArray(table)) throw invalid("`prices` must be an object");
  const own = new Map(Object.entries(table).map(([name, entry]) => [name, checkEntry(name, entry)]));
  const version = `user/${toHex(nodeHash.sha256(new TextEncoder().encode(JSON.stringify(table)))).slice(0, 12)}`;
  return {
    quote(provider, model, at) {
      const entry = own.get(`${provider}:${model}`) ?? own.get(`${provider.split(".")[0]}:${model}`);
      return entry === undefined ? listed(provider, model, at) : quoteOf(entry, version);
    },
  };
}

interface Rates {
  readonly input: Rate;
  readonly cacheRead: Rate;
  readonly cacheWrite: Rate;
  readonly output: Rate;
  /** For each call, whatever it uses; millionths of a dollar. */
  readonly call: bigint;
  readonly window: bigint | null;
  readonly maxOutput: bigint | null;
}

/** Millionths of a dollar for a million tokens, of a call with so much input. */
type Rate = (input: bigint) => bigint;

const ENTRY_KEYS: readonly string[] = ["input", "output", "cacheRead", "cacheWrite", "maxOutputTokens"];

function checkEntry(name: string, entry: unknown): Rates {
  if (!/^[^:]+:./.test(name)) throw invalid(`\`prices\` has \`${name}\`, which is not of the form \`PROVIDER:MODEL\``);
  if (typeof entry !== "object" || entry === null) throw invalid(`\`prices["${name}"]\` must be an object`);
  const unknown = Object.keys(entry).find((key) => !ENTRY_KEYS.includes(key));
  if (unknown !== undefined)
    throw invalid(`\`prices["${name}"]\` has no \`${unknown}\`; it takes ${ENTRY_KEYS.join(", ")}`);
  const given = entry as Readonly<Record<string, unknown>>;
  const rate = (key: string): Rate => {
    const value = given[key];
    const micros = typeof value === "string" ? parseDecimal(value, MICROS) : undefined;
    if (micros === undefined)
      throw invalid(`\`prices["${name}"].${key}\` must be dollars for a million tokens as a text, such as \`"3.00"\``);
    return () => micros;
  };
  const input = rate("input");
  const { maxOutputTokens: most } = given;
  if (most !== undefined && !(Number.isSafeInteger(most) && Number(most) > 0))
    throw invalid(`\`prices["${name}"].maxOutputTokens\` must be a whole number above zero`);
  return {
    input,
    output: rate("output"),
    cacheRead: given.cacheRead === undefined ? input : rate("cacheRead"),
    cacheWrite: given.cacheWrite === undefined ? input : rate("cacheWrite"),
    call: 0n,
    window: null,
    maxOutput: most === undefined ? null : BigInt(Number(most)),
  };
}

/** A price that the table cannot say whole is none. Whatever its look-up throws is none either. */
function listed(provider: string, model: string, at: number): Quote | undefined {
  const [vendor, name] = model.split(/\/(.*)/s);
  // The AI SDK's own gateway asks for the vendor's price.
  if (provider === "gateway") return name === undefined ? undefined : listed(vendor ?? "", name, at);
  try {
    const providerId = [provider, provider.split(".")[0]].find((id) => findProvider({ providerId: id ?? "" })) ?? "";
    if (providerId === "") return undefined;
    const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId, timestamp: new Date(at) });
    const rates = found === null ? undefined : ratesOf(found.model_price, found.model.context_window);
    return rates === undefined ? undefined : quoteOf(rates, TABLE_VERSION);
  } catch {
    return undefined;
  }
}

/**
 * The usage of a framework does not say how much of it was sound, pictures, or kept for an hour and not for minutes: of
 * each kind the dearest price counts.
 */
function ratesOf(price: ModelPrice, window: number | undefined): Rates | undefined {
  if (price.input_mtok === undefined || price.output_mtok === undefined) return undefined;
  const keys = Object.keys(price).filter((key) => price[key] !== undefined);
  const rate = (pattern: RegExp): Rate | undefined => {
    const tiers = keys.filter((key) => pattern.test(key)).map((key) => tiersOf(price[key]));
    return tiers.length === 0 ? undefined : (input) => most(tiers.map((one) => inForce(one, input)));
  };
  const [input, output] = [rate(/^input_.*mtok$/), rate(/^output_.*mtok$/)];
  if (input === undefined || output === undefined) return undefined;
  const call = price.requests_kcount;
  return {
    input,
    output,
    cacheRead: rate(/^cache_.*read_mtok$/) ?? input,
    cacheWrite: rate(/^cache_.*write.*_mtok$/) ?? input,
    call: call === undefined ? 0n : (most(tiersOf(call).map(({ price: one }) => one)) + 999n) / 1_000n,
    window: window === undefined || !Number.isSafeInteger(window) ? null : BigInt(window),
    maxOutput: null,
  };
}

interface Tier {
  /** From so much input on. */
  readonly start: bigint;
  readonly price: bigint;
}

function tiersOf(price: number | TieredPrices | undefined): readonly Tier[] {
  if (typeof price === "number") return [{ start: 0n, price: micros(price) }];
  if (price === undefined) return [];
  const tiers = price.tiers.map((tier) => ({ start: BigInt(tier.start), price: micros(tier.price) }));
  return [{ start: 0n, price: micros(price.base) }, ...tiers];
}

/** A call at the edge of a tier is priced at the dearer one. */
function inForce(tiers: readonly Tier[], input: bigint): bigint {
  return most(tiers.filter(({ start }) => start <= input).map(({ price }) => price));
}

/** Dollars, which the table holds as numbers, in whole millionths, rounded up. */
function micros(dollars: number): bigint {
  if (!Number.isFinite(dollars) || dollars < 0) throw new RangeError("a price that is none");
  const [whole = "0", fraction = ""] = dollars.toFixed(12).split(".");
  const [kept, lost] = [fraction.slice(0, MICROS), fraction.slice(MICROS)];
  return BigInt(whole + kept) + (/[1-9]/.test(lost) ? 1n : 0n);
}

function quoteOf(rates: Rates, version: string): Quote {
  const { input, cacheRead, cacheWrite, output, call, window, maxOutput } = rates;
  const total = (costs: Parameters<typeof modelCost>[0]): bigint | null => {
    const cost = modelCost(costs);
    return cost === undefined ? null : cost + call;
  };
  return {
    version,
    window,
    maxOutput,
    most(inputs, outputs) {
      const rate = most([input(inputs), cacheRead(inputs), cacheWrite(inputs)]);
      const sent = { tokens: inputs, microsPerMillion: rate };
      const microsPerMillion = output(inputs);
      if (outputs === null) return microsPerMillion === 0n ? total([sent]) : null;
      return total([sent, { tokens: outputs, microsPerMillion }]);
    },
    cost(used) {
      const all = used.input + used.cacheRead + used.cacheWrite;
      return total([
        { tokens: used.input, microsPerMillion: input(all) },
        { tokens: used.cacheRead, microsPerMillion: cacheRead(all) },
        { tokens: used.cacheWrite, microsPerMillion: cacheWrite(all) },
        { tokens: used.output, microsPerMillion: output(all) },
      ]);
    },
  };
}

function most(values: readonly bigint[]): bigint {
  return values.reduce((one, other) => (other > one ? other : one), 0n);
}

function invalid(message: string): SafeRunError {
  return new SafeRunError("option.invalid", message);
}
