import { api, ask } from "../../api/client.ts";

export type Comparison = Awaited<ReturnType<typeof readComparison>>;
export type Pair = Comparison["steps"][number];

export function readComparison(id: string, other: string) {
  return ask(api.runs[":id"].compare[":other"].$get({ param: { id, other } }));
}

/** A step that differs; how many equal ones follow one another; and those, where they are unfolded. */
export type Line =
  | { readonly kind: "other"; readonly key: string; readonly pair: Pair }
  | { readonly kind: "fold"; readonly key: string; readonly count: number; readonly open: boolean }
  | { readonly kind: "equal"; readonly key: string; readonly pair: Pair };

/** `turned`: folds that somebody has turned, by their keys; the others are as `all` says. */
export function linesOf(pairs: readonly Pair[], all: boolean, turned: ReadonlySet<string>): readonly Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < pairs.length; ) {
    const pair = pairs[at];
    if (pair === undefined) break;
    const key = keyOf(pair);
    if (isOther(pair)) {
      lines.push({ kind: "other", key, pair });
      at++;
      continue;
    }
    const next = pairs.findIndex((one, index) => index > at && isOther(one));
    const equal = pairs.slice(at, next === -1 ? pairs.length : next);
    const fold = `fold ${key}`;
    const open = all !== turned.has(fold);
    lines.push({ kind: "fold", key: fold, count: equal.length, open });
    if (open) for (const one of equal) lines.push({ kind: "equal", key: keyOf(one), pair: one });
    at += equal.length;
  }
  return lines;
}

export function countOther(pairs: readonly Pair[]): number {
  return pairs.reduce((sum, pair) => sum + (isOther(pair) ? 1 : 0), 0);
}

function keyOf({ left, right }: Pair): string {
  return `${left?.number ?? ""}:${right?.number ?? ""}`;
}

const BESIDE: readonly string[] = ["cost", "time"];

/** Cost and time are never the same twice. */
function isOther({ match, differences }: Pair): boolean {
  return match === "left" || match === "right" || differences.some(({ what }) => !BESIDE.includes(what));
}
