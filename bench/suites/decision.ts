import cedar from "@cedar-policy/cedar-wasm/nodejs";
import { Environment } from "@marcbachmann/cel-js";
import {
  type EvaluationContext,
  type JsonObject,
  NOBODY,
  normalize,
  type PolicySet,
  type ToolCall,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { eachCall, perCall } from "../measure.ts";
import { atLeast, atMost, type Report, row } from "../report.ts";
import { argsOf, asCedar, asYaml, type BenchRule, rules } from "./workload.ts";

const TOOLS = 1_000;
const CALLS = 200_000;
const CONTEXT: EvaluationContext = {
  agent: "bench",
  environment: "prod",
  principal: NOBODY,
  context: {},
  run: { id: "run_bench", prompted: false, untrusted: false, turn: 0 },
  call: { id: "call_bench", depth: 0, attempt: 1 },
  now: 0,
};

/** A decision among 10,000 rules over 1,000 tools, beside two peers that are given an index by tool as well. */
export async function decisions(): Promise<Report> {
  const all = rules(TOOLS, 10);
  const yaml = asYaml(all);
  const started = performance.now();
  const large = load(yaml);
  const loadMs = performance.now() - started;
  const small = load(asYaml(all.slice(0, 100)));

  const calls = prepare(TOOLS);
  const few = prepare(10);
  const decide = (policies: PolicySet, from: readonly ToolCall[]) => (index: number) => {
    const call = from[index % from.length];
    return call === undefined ? undefined : policies.evaluate(call, CONTEXT).verdict;
  };
  const ours = decide(large, calls);
  warm(ours, "allow");
  const figures = eachCall(CALLS, ours);
  const smallRun = decide(small, few);
  warm(smallRun, "allow");
  const smallFigures = eachCall(CALLS, smallRun);

  const peers = celJs(all);
  warm(peers, "allow");
  const wasm = cedarIndexed(all);
  warm(wasm, "allow");
  const mean = perCall(9, 50_000, ours);
  const celMean = perCall(9, 20_000, peers);
  const cedarMean = perCall(5, 400, wasm);
  return {
    suite: "decision",
    how: `one decision among ${all.length} rules over ${TOOLS} tools, in process; peers choose among the 10 rules of the tool`,
    rows: [
      row("SafeRun p50", figures.p50, "µs", atMost(2)),
      row("SafeRun p99", figures.p99, "µs", atMost(20)),
      row("SafeRun mean (median of batches)", mean, "µs"),
      row("10,000 rules against 100 rules, p50", figures.p50 / smallFigures.p50, "×", atMost(2)),
      row("@marcbachmann/cel-js, indexed the same way, mean", celMean, "µs"),
      row("SafeRun faster than @marcbachmann/cel-js", celMean / mean, "×", atLeast(4)),
      row("@cedar-policy/cedar-wasm, parsed before, indexed the same way, mean", cedarMean, "µs"),
      row("SafeRun faster than @cedar-policy/cedar-wasm", cedarMean / mean, "×", atLeast(100)),
      row("load and check 10,000 rules (YAML text to decisions)", loadMs, "ms", atMost(1_000)),
    ],
  };
}

function load(text: string): PolicySet {
  const loaded = loadPolicies([{ file: "bench.yaml", text }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(loaded.issues.map((issue) => issue.message).join("\n"));
  return loaded.policies;
}

/** One call of each tool, in an order that jumps. A call is fresh in the caches when it is judged: it was just made. */
function prepare(tools: number): ToolCall[] {
  return Array.from({ length: tools }, (_, index) => {
    const input = { tool: `tool${(index * 7) % tools}`, args: argsOf(index), agent: "bench", environment: "prod" };
    const normalized = normalize(input, nodeHash);
    if (!normalized.ok) throw new Error(normalized.malformed.message);
    return normalized.call;
  });
}

function warm(work: (index: number) => unknown, expected: unknown): void {
  for (let index = 0; index < 2_000; index++) {
    const verdict = work(index);
    if (verdict !== expected)
      throw new Error(`the benchmark decides ${String(verdict)} where ${String(expected)} was expected`);
  }
}

/** Deny over pause over allow over the parsed expressions of the tool: the same combination, written for the peer. */
function celJs(all: readonly BenchRule[]): (index: number) => string {
  const environment = new Environment().registerVariable("args", "dyn");
  const byTool = new Map<string, { then: string; when: (context: { args: JsonObject }) => unknown }[]>();
  for (const rule of all) {
    const list = byTool.get(rule.tool) ?? [];
    list.push({ then: rule.then, when: environment.parse(rule.cel) });
    byTool.set(rule.tool, list);
  }
  // The library counts in BigInt: its arguments are made so, once, outside of the measured part.
  const inputs = Array.from({ length: TOOLS }, (_, index) => {
    const { amount, ...rest } = argsOf(index);
    return { tool: `tool${(index * 7) % TOOLS}`, context: { args: { ...rest, amount: BigInt(amount) } } };
  });
  return (index) => {
    const input = inputs[index % inputs.length];
    let verdict = "unmatched";
    for (const rule of byTool.get(input?.tool ?? "") ?? []) {
      if (rule.when(input?.context as never) !== true) continue;
      if (rule.then === "deny") return "deny";
      if (verdict !== "pause") verdict = rule.then;
    }
    return verdict;
  };
}

function cedarIndexed(all: readonly BenchRule[]): (index: number) => string {
  const tools = new Set(all.map((rule) => rule.tool));
  for (const tool of tools) {
    const policies = asCedar(all.filter((rule) => rule.tool === tool));
    const answer = cedar.preparsePolicySet(tool, { staticPolicies: policies });
    if (answer.type !== "success") throw new Error(JSON.stringify(answer));
  }
  return (index) => {
    const tool = `tool${(index * 7) % TOOLS}`;
    const answer = cedar.statefulIsAuthorized({
      principal: { type: "Agent", id: "bench" },
      action: { type: "Action", id: tool },
      resource: { type: "Tool", id: tool },
      context: argsOf(index),
      preparsedPolicySetId: tool,
      entities: [],
    });
    return answer.type === "success" ? answer.response.decision : "error";
  };
}
