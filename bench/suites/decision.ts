import { compared, eachCall, perCall } from "../measure.ts";
import { atLeast, atMost, type Report, type Row, row } from "../report.ts";
import { decider, expectAnswer, load } from "./deciding.ts";
import { PEERS } from "./peers/all.ts";
import { SAME_WORDS } from "./peers/peer.ts";
import { validation } from "./validation.ts";
import { asYaml, type BenchCall, type BenchRule, callsOf, RESTRICTED, rules } from "./workload.ts";

const TOOLS = 1_000;
const CALLS = 200_000;

/** A decision among 10,000 rules over 1,000 tools, beside peers that are given an index by tool as well. */
export async function decisions(): Promise<Report> {
  const all = rules(TOOLS, 10);
  const calls = [...callsOf(TOOLS), RESTRICTED.deny, RESTRICTED.pause];
  const ours = warm(decider(load(asYaml(all)), calls), TOOLS, SAME_WORDS, "SafeRun");
  const figures = eachCall(CALLS, ours);
  const few = [...callsOf(10), RESTRICTED.deny, RESTRICTED.pause];
  const small = eachCall(CALLS, warm(decider(load(asYaml(all.slice(0, 100))), few), 10, SAME_WORDS, "SafeRun"));
  const mean = perCall(9, 50_000, ours);
  return {
    suite: "decision",
    how: `one decision among ${all.length} rules over ${TOOLS} tools, in process; peers choose among the 10 rules of the tool`,
    rows: [
      row("SafeRun p50", figures.p50, "µs", atMost(2)),
      row("SafeRun p99", figures.p99, "µs", atMost(20)),
      row("SafeRun mean (median of batches)", mean, "µs"),
      row("10,000 rules against 100 rules, p50", figures.p50 / small.p50, "×", atMost(2)),
      ...(await peers(all, calls, ours)),
      ...validation(),
    ],
  };
}

/** The mean of each peer, and how often SafeRun decides in that time. */
async function peers(
  all: readonly BenchRule[],
  calls: readonly BenchCall[],
  ours: (index: number) => string,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { peer, atLeast: least } of PEERS) {
    const decide = warm(await peer.prepare(all, calls), TOOLS, peer.says, peer.name);
    const { mean, ratio } = compared(9, [ours, 20_000], [decide, peer.batch]);
    rows.push(row(`${peer.name} (${peer.note}), mean`, mean, "µs"));
    rows.push(row(`SafeRun faster than ${peer.name}`, ratio, "×", least === undefined ? least : atLeast(least)));
  }
  return rows;
}

/** Checks the verdict of every call, the two restricted ones behind the `permitted` first too, and repeats those. */
function warm(
  decide: (index: number) => string,
  permitted: number,
  words: Readonly<Record<BenchRule["then"], string>>,
  who: string,
): (index: number) => string {
  for (let index = 0; index < 2_000; index++) expectAnswer(decide, index % permitted, words.allow, who);
  expectAnswer(decide, permitted, words.deny, who);
  expectAnswer(decide, permitted + 1, words.pause, who);
  return (index) => decide(index % permitted);
}
