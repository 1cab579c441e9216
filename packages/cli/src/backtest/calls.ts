/** Calls that were made once, from a file or from the log, judged by another revision. */
import {
  BESIDE_RULES,
  type Decision,
  type EvaluationContext,
  type Json,
  type PastCalls,
  type PolicySet,
  parseHeader,
  type Store,
  standing,
  type ToolCall,
} from "@saferun/core";
import type { ReadOnlyStore } from "@saferun/store";
import { lineContexts, readCallLine } from "../eval/call-line.ts";
import { LineRuns } from "../eval/line-runs.ts";
import type { InputLine } from "../eval/lines.ts";
import { type RecordedDecision, recordedDecisions } from "../recorded/decisions.ts";
import { Histories, rootsOf } from "../recorded/histories.ts";
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
  const runs = remembers(backtest) ? new LineRuns() : undefined;
  let number = 0;
  for await (const batch of batches) {
    for (const line of batch) {
      number++;
      const read = "text" in line ? readLine(line.text) : undefined;
      if (read === undefined) {
        backtest.tally.miss("malformed");
        continue;
      }
      const context = contextOf(read, number);
      const recorded = recordedAnswer(read.fields);
      const asked = { where: number, call: read.call, context, history: runs?.before(read) };
      const { before, after } = judge(backtest, asked, recorded);
      // What became of it then: by the record, else by the policies of then.
      runs?.add(read, context, recorded ?? before ?? after);
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
  const first = await firstEntrySince(store, size, since);
  // What a run has done before begins with the run.
  const histories = remembers(backtest) ? new Histories(await rootsOf(store)) : undefined;
  for (let from = histories === undefined ? first : 0; from < size; from += PAGE) {
    const to = Math.min(from + PAGE, size);
    for (const entry of await store.decisionEntries({ from, to, all: histories !== undefined })) {
      const decision = take(entry);
      if (decision !== undefined && entry.seq >= first) judgeRecorded(backtest, decision, histories);
      histories?.see(entry);
    }
  }
}

function judgeRecorded(backtest: Backtest, decision: RecordedDecision, histories: Histories | undefined): void {
  const { input, id } = decision;
  if ("missing" in input) {
    backtest.tally.miss(input.missing);
    return;
  }
  const { call, context } = input;
  judge(backtest, { where: id, call, context, history: histories?.before(context.run.id, id) }, decision);
}

function remembers({ policies, against }: Backtest): boolean {
  return policies.readsHistory() || against?.readsHistory() === true;
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

interface Asked {
  readonly where: string | number;
  readonly call: ToolCall;
  readonly context: EvaluationContext;
  readonly history: PastCalls | undefined;
}

/** What each side decides; undefined where there is no other side. */
function judge(
  { policies, against, tally }: Backtest,
  { where, call, context, history }: Asked,
  recorded: Answer | undefined,
): { readonly before: Decision | undefined; readonly after: Decision } {
  const after = policies.evaluate(call, context, history);
  const before = against?.evaluate(call, context, history);
  if (before !== undefined) tally.add({ where, tool: call.tool, before, after });
  else tally.add({ where, tool: call.tool, before: recorded, after: standing(after, recorded, BESIDE_RULES) });
  return { before, after };
}
