/** The calls of the log with their results, in order, through two settings of the detectors. */

import { callEntryOf, type EntryHeader, parseHeader, type Store, type StoredEntry } from "@saferun/core";
import { partJson } from "@saferun/server/wire";
import { recordedDecisions } from "../recorded/decisions.ts";
import type { Ended, ProposedCall, Replay } from "./replay.ts";
import type { BreakerTally } from "./tally.ts";

export interface BreakerBacktest {
  readonly before: Replay;
  readonly after: Replay;
  readonly tally: BreakerTally;
}

/** Entries read in one go. */
const PAGE = 2_000;

/** Runs are followed from their beginning, since a loop begins before it is found; counted is what is not older than `since`, ms. */
export async function backtestBreakers(work: BreakerBacktest, store: Store, since: number): Promise<void> {
  const take = recordedDecisions();
  const open = new Map<string, ProposedCall>();
  const { size } = await store.head();
  for (let from = 0; from < size; from += PAGE) {
    for (const entry of await store.entries({ from, limit: PAGE })) {
      const header = parseHeader(entry.header);
      if (header.type === "call.finished") end(work, open, header, entry);
      const decision = take(callEntryOf(entry));
      if (decision === undefined || header.run === undefined) continue;
      const { input, id, at } = decision;
      const counted = at >= since;
      if ("missing" in input) {
        if (counted) work.tally.miss(input.missing);
        continue;
      }
      const { call, context } = input;
      const proposed = { id, run: header.run.id, principal: context.principal.id, depth: context.call.depth, at, call };
      propose(work, proposed, counted);
      if (decision.verdict === "deny") deny(work, proposed, decision.by, counted);
      else open.set(id, proposed);
    }
  }
}

function propose({ before, after, tally }: BreakerBacktest, proposed: ProposedCall, counted: boolean): void {
  const [one, other] = [before.propose(proposed), after.propose(proposed)];
  if (!counted) return;
  tally.call();
  tally.compare({ where: proposed.id, tool: proposed.call.tool }, one, other);
}

function deny(
  { before, after, tally }: BreakerBacktest,
  proposed: ProposedCall,
  rules: readonly string[],
  counted: boolean,
): void {
  const [one, other] = [before.deny(proposed, rules), after.deny(proposed, rules)];
  if (counted) tally.compare({ where: proposed.id, tool: proposed.call.tool }, one, other);
}

function end(
  { before, after }: BreakerBacktest,
  open: Map<string, ProposedCall>,
  { call: id = "", outcome, time: at }: EntryHeader,
  entry: StoredEntry,
): void {
  const proposed = open.get(id);
  open.delete(id);
  if (proposed === undefined || outcome === undefined) return;
  const ended: Ended = { outcome, text: textOf(entry), at };
  before.end(proposed, ended);
  after.end(proposed, ended);
}

/** The result or the error, as the detectors read it. */
function textOf({ parts }: StoredEntry): string {
  const [part] = parts;
  const value = part === undefined ? null : partJson(part);
  return typeof value === "string" ? value : JSON.stringify(value);
}
