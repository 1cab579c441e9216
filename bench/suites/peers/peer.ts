/** What is measured of a peer: it chooses among the rules of the tool, deny over pause over allow, as SafeRun does. */
import type { BenchCall, BenchRule } from "../workload.ts";

export interface Peer {
  readonly name: string;
  /** What a reader of the figure has to know. */
  readonly note: string;
  /** Its words for our verdicts. */
  readonly says: Readonly<Record<BenchRule["then"], string>>;
  /** Calls in a batch: few where each takes long, so that all of it ends within a minute. */
  readonly batch: number;
  /** Reads the rules once; the result decides the call with this index. */
  prepare(rules: readonly BenchRule[], calls: readonly BenchCall[]): Promise<(index: number) => string>;
}

export const SAME_WORDS: Peer["says"] = { allow: "allow", pause: "pause", deny: "deny" };

interface ParsedRule<Input> {
  readonly then: BenchRule["then"];
  readonly when: (input: Input) => unknown;
}

/** For a peer that knows conditions and no verdicts: the same combination over its parsed conditions, by tool. */
export function combined<Input>(
  rules: readonly BenchRule[],
  calls: readonly BenchCall[],
  parse: (rule: BenchRule) => (input: Input) => unknown,
  inputOf: (call: BenchCall) => Input,
): (index: number) => string {
  const index = new Map<string, ParsedRule<Input>[]>();
  for (const rule of rules) {
    const list = index.get(rule.tool) ?? [];
    list.push({ then: rule.then, when: parse(rule) });
    index.set(rule.tool, list);
  }
  // Arguments are brought into the peer's form once, outside of what is measured.
  const inputs = calls.map((call) => ({ tool: call.tool, input: inputOf(call) }));
  return (call) => {
    const next = inputs[call];
    if (next === undefined) return "no call";
    let verdict = "unmatched";
    for (const { then, when } of index.get(next.tool) ?? []) {
      if (when(next.input) !== true) continue;
      if (then === "deny") return "deny";
      if (verdict !== "pause") verdict = then;
    }
    return verdict;
  };
}
