/** What the suites about decisions in process share: policies from text, calls in the gate's form, a context. */
import { type EvaluationContext, NOBODY, normalize, type PolicySet, type ToolCall } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";

const CONTEXT: EvaluationContext = {
  agent: "bench",
  environment: "prod",
  principal: NOBODY,
  context: {},
  run: { id: "run_bench", prompted: false, untrusted: false, turn: 0 },
  call: { id: "call_bench", depth: 0, attempt: 1 },
  now: 0,
};

interface AnyCall {
  readonly tool: string;
  readonly args: object;
}

export function load(text: string): PolicySet {
  const loaded = loadPolicies([{ file: "bench.yaml", text }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(loaded.issues.map((issue) => issue.message).join("\n"));
  return loaded.policies;
}

/** Decides the call with this index. A call is fresh in the caches when it is judged: it was just made. */
export function decider(policies: PolicySet, from: readonly AnyCall[]) {
  const calls = from.map(prepare);
  return (index: number): string => {
    const call = calls[index];
    return call === undefined ? "no call" : policies.evaluate(call, CONTEXT).verdict;
  };
}

function prepare({ tool, args }: AnyCall): ToolCall {
  const normalized = normalize({ tool, args, agent: "bench", environment: "prod" }, nodeHash);
  if (!normalized.ok) throw new Error(normalized.malformed.message);
  return normalized.call;
}

/** Throws where the work does not give what it is measured for. */
export function expectAnswer(work: (index: number) => unknown, index: number, expected: string, who: string): void {
  const answer = work(index);
  if (answer !== expected) throw new Error(`${who} says ${String(answer)} where ${expected} was expected`);
}
