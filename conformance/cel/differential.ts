/** The same expression in this engine and in `@bufbuild/cel`: one text for a value, or `error`. */
import { celEnv, isCelError, isCelList, isCelMap, isCelType, isCelUint, parse, plan } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import fc from "fast-check";
import { type CelEnv, compileCel, parseCel } from "../../packages/core/src/policy/cel/index.ts";
import { DYN } from "../../packages/core/src/policy/cel/types.ts";
import { type Case, cases, type Variables } from "./grammar.ts";
import { canonical } from "./test-value.ts";

const ERROR = "error";
const ENV: CelEnv = { variables: Object.fromEntries(["i", "d", "s", "b", "l", "w", "m"].map((name) => [name, DYN])) };

const THEIR_ENV = celEnv({ funcs: strings });

function ours({ source, variables }: Case): string {
  const parsed = parseCel(source);
  if (!parsed.ok) return ERROR;
  try {
    return canonical(compileCel(parsed.expr, ENV).evaluate({ ...variables }));
  } catch {
    return ERROR;
  }
}

function theirs({ source, variables }: Case): string {
  try {
    const value = plan(THEIR_ENV, parse(source))(bindings(variables));
    return isCelError(value) ? ERROR : text(value);
  } catch {
    return ERROR;
  }
}

/** Their ints are bigints, their doubles numbers. */
function bindings({ i, d, s, b, l, w, m }: Variables) {
  const map = new Map(Object.entries(m).map(([key, value]) => [key, BigInt(value)]));
  return { i: BigInt(i), d, s, b, l: l.map(BigInt), w: [...w], m: map };
}

function text(value: unknown): string {
  if (isCelUint(value)) return `${value.value}u`;
  if (isCelType(value)) return `type ${value.name}`;
  if (isCelList(value)) return `[${[...value].map(text).join(", ")}]`;
  if (isCelMap(value))
    return `{${[...value]
      .map(([key, item]) => `${text(key)}: ${text(item)}`)
      .sort()
      .join(", ")}}`;
  if (typeof value === "number") return `double ${Object.is(value, -0) ? "-0" : value}`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Where the other one is known to be wrong, or the two differ on purpose. Looked at only where they differ. */
const DIFFERENCES: readonly { readonly reason: string; readonly applies: RegExp }[] = [
  { reason: "`-(-(x))` is x there, also where x is no number", applies: /-\(-\(/ },
  {
    reason: "uints of 2^63 and above do not divide there",
    applies: /(?=.*(?:\du\b|uint\())(?=.*[/%])/,
  },
  {
    reason: "a list or map as the key of an `in` over a map: not in it here, an error there",
    applies: /dyn\(.*\bin\b/,
  },
];

export interface Comparison {
  readonly cases: number;
  /** Of them, those on whose value the two agree; on the others they agree that it is an error. */
  readonly values: number;
  /** Cases by the reason of their difference. */
  readonly known: ReadonlyMap<string, number>;
}

/** @throws Error with the seed and the smallest case that was found, where the two disagree for no known reason. */
export function compareEngines(seed: number, numRuns: number): Comparison {
  const known = new Map<string, number>();
  let values = 0;
  fc.assert(
    fc.property(cases, (one) => {
      const [our, their] = [ours(one), theirs(one)];
      if (our === their) {
        if (our !== ERROR) values++;
        return;
      }
      const reason = DIFFERENCES.find(({ applies }) => applies.test(one.source))?.reason;
      if (reason === undefined) throw new Error(`\`${one.source}\` is ${our} here, and ${their} there`);
      known.set(reason, (known.get(reason) ?? 0) + 1);
    }),
    { seed, numRuns },
  );
  return { cases: numRuns, values, known };
}
