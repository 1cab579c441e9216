import { api, ask } from "../../api/client.ts";

export type Comparison = Awaited<ReturnType<typeof readComparison>>;
export type Pair = Comparison["steps"][number];

export function readComparison(id: string, other: string) {
  return ask(api.runs[":id"].compare[":other"].$get({ param: { id, other } }));
}

/** A step that differs, or the equal ones in a row. */
export type Folded =
  | { readonly kind: "other"; readonly pair: Pair }
  | { readonly kind: "equal"; readonly pairs: readonly Pair[] };

export function folded(pairs: readonly Pair[]): readonly Folded[] {
  const all: ({ kind: "other"; pair: Pair } | { kind: "equal"; pairs: Pair[] })[] = [];
  for (const pair of pairs) {
    const last = all.at(-1);
    if (isOther(pair)) all.push({ kind: "other", pair });
    else if (last?.kind === "equal") last.pairs.push(pair);
    else all.push({ kind: "equal", pairs: [pair] });
  }
  return all;
}

const BESIDE: readonly string[] = ["cost", "time"];

/** Cost and time are never the same twice. */
function isOther({ match, differences }: Pair): boolean {
  return match === "left" || match === "right" || differences.some(({ what }) => !BESIDE.includes(what));
}
