/** What a backtest found, read from the API's answer: it has the shape of `saferun backtest --json`. */
import { listOf, mapOf, numberOf, textOf, textsOf } from "../../api/json.ts";
import type { Backtested } from "./read.ts";

export interface BacktestChange {
  readonly call: string;
  readonly tool: string;
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly run: string | undefined;
  readonly step: number | undefined;
}

export interface BacktestResult {
  readonly judged: number;
  readonly changed: number;
  readonly otherRules: number;
  /** Calls that could not be judged again, by the reason. */
  readonly missing: readonly (readonly [string, number])[];
  readonly moves: readonly { readonly from: string; readonly to: string; readonly calls: number }[];
  readonly changes: readonly BacktestChange[];
  readonly leftOut: number;
}

export function backtestResult({ result, places }: Backtested): BacktestResult {
  const map = mapOf(result);
  return {
    judged: numberOf(map.judged),
    changed: numberOf(map.changed),
    otherRules: numberOf(map.same_verdict_by_other_rules),
    missing: Object.entries(mapOf(map.not_reproducible)).map(([why, count]) => [why, numberOf(count)]),
    moves: listOf(map.moves)
      .map(mapOf)
      .map((one) => ({ from: textOf(one.from), to: textOf(one.to), calls: numberOf(one.calls) })),
    changes: listOf(map.changes)
      .map(mapOf)
      .map((one) => {
        const call = textOf(one.where);
        const place = Object.hasOwn(places, call) ? places[call] : undefined;
        const by = textsOf(one.by).join(", ");
        return {
          call,
          tool: textOf(one.tool),
          from: textOf(one.from),
          to: textOf(one.to),
          by,
          run: place?.run,
          step: place?.step ?? undefined,
        };
      }),
    leftOut: numberOf(map.changes_left_out),
  };
}
