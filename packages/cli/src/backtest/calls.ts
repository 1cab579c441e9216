/** Calls that were made once, from a file or from the log, judged by another revision. */
import {
  type EvaluationContext,
  type Json,
  type PolicySet,
  parseHeader,
  type Store,
  type ToolCall,
} from "@saferun/core";
import type { ReadOnlyStore } from "@saferun/store";
import { lineContexts, readCallLine } from "../eval/call-line.ts";
import type { InputLine } from "../eval/lines.ts";
import { recordedDecisions } from "../recorded/decisions.ts";
import type { Answer, Tally } from "./tally.ts";

export interface Backtest {
  readonly policies: PolicySet;
  /** Absent: compared with what was recorded. */
  readonly against: PolicySet | undefined;
  readonly tally: Tally;
}

/** Lines as `saferun eval` takes them; `verdict` and `by` of a line, where they stand, are what it was decided as. */
export async function backtestLines(
  backtest: Backtest,
  batches: AsyncIterable<readonly InputLine[]>,
  start: number,
): Promise<void> {
  const contextOf = lineContexts(start);
  let number = 0;
  for await (const batch of batches) {
    for (const line of batch) {
      number++;
      const read = "text" in line ? readLine(line.text) : undefined;
      if (read === undefined) backtest.tally.miss("malformed");
      else judge(backtest, number, read.call, contextOf(read, number), recordedAnswer(read.fields));
    }
  }
}

function readLine(text: string) {
  try {
    return readCallLine(text);
  } catch {
    return undefined;
  }
}

function recordedAnswer({ verdict, by = [] }: { readonly verdict?: Json; readonly by?: Json }): Answer | undefined {
  if (verdict !== "allow" && verdict !== "deny" && verdict !== "pause") return undefined;
  return { verdict, by: Array.isArray(by) ? by.filter((id) => typeof id === "string") : [] };
}

/** Entries looked at in one go. */
const PAGE = 4_000;

/** Calls of the log whose entries are not older than `since`, ms. */
export async function backtestStore(backtest: Backtest, store: ReadOnlyStore, since: number): Promise<void> {
  const take = recordedDecisions();
  const { size } = await store.head();
  for (let from = await firstEntrySince(store, size, since); from < size; from += PAGE) {
    for (const entry of await store.decisionEntries({ from, to: Math.min(from + PAGE, size) })) {
      const decision = take(entry);
      if (decision === undefined) continue;
      const { input, id } = decision;
      if ("missing" in input) backtest.tally.miss(input.missing);
      else judge(backtest, id, input.call, input.context, decision);
    }
  }
}

/** By halves: the log's time never goes back. */
async function firstEntrySince(store: Store, size: number, since: number): Promise<number> {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = await store.entries({ from: middle, limit: 1 });
    if (entry === undefined) return low;
    if (parseHeader(entry.header).time < since) low = middle + 1;
    else high = middle;
  }
  return low;
}

function judge(
  { policies, against, tally }: Backtest,
  where: string | number,
  call: ToolCall,
  context: EvaluationContext,
  recorded: Answer | undefined,
): void {
  const decision = policies.evaluate(call, context);
  if (against !== undefined)
    tally.add({ where, tool: call.tool, before: against.evaluate(call, context), after: decision });
  else tally.add({ where, tool: call.tool, before: recorded, after: standing(decision, recorded) });
}

const STRICTNESS = { allow: 0, pause: 1, deny: 2 } as const;
const BESIDE_RULES = /^(breaker|budget|stop)[:.]/;

/** What a breaker, a budget or a stop said then was said whatever the rules are: it stands beside any other policies. */
function standing(decision: Answer, recorded: Answer | undefined): Answer {
  const beside = recorded?.by.filter((id) => BESIDE_RULES.test(id)) ?? [];
  if (recorded === undefined || beside.length === 0) return decision;
  const stricter = STRICTNESS[decision.verdict] - STRICTNESS[recorded.verdict];
  if (stricter > 0) return decision;
  return { verdict: recorded.verdict, by: stricter < 0 ? beside : [...decision.by, ...beside].sort() };
}
