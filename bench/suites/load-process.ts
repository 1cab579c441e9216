/**
 * One start in a process of its own, so that nothing is warm and the heap is its own: `load-process.ts faultless|faulty`.
 * The way of `loadPolicies`, step by step.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { analyse, checkPolicies, compilePolicies, type PolicySet, type PolicyTree } from "@saferun/core";
import { intlZones, parsePolicyFile } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { median } from "../measure.ts";
import { decider, expectAnswer } from "./deciding.ts";
import { asYaml, callsOf, faultlessRules, rules } from "./workload.ts";

const TOOLS = 1_000;
const faultless = process.argv[2] === "faultless";
const text = asYaml((faultless ? faultlessRules : rules)(TOOLS, 10));
const before = settledHeap();
const started = threadTime();
const first = load();
const thread = threadTime() - started;
const { policies, findings } = first;
if (faultless && findings > 0) throw new Error(`${findings} findings in policies without faults`);
const now = decider(policies, callsOf(TOOLS));
for (let index = 0; index < TOOLS; index++) expectAnswer(now, index, "allow", "SafeRun");
const held = (settledHeap() - before) / 2 ** 20;
const again = median([1, 2, 3].map(() => load().total));
if (policies.revision === "") throw new Error("the policies have no revision");
process.stdout.write(JSON.stringify({ ...first, policies: undefined, thread, held, again }));

/** Trees, model and findings are garbage when it returns; what a gate holds is the policy set. */
function load() {
  const [parsed, parse] = timed(() => parsePolicyFile(text, "bench.yaml"));
  const [{ model, policies }, check] = timed(() => compile(parsed.tree));
  const [findings, analysis] = timed(() => analyse(model).length);
  return { policies, parse, check, analysis, findings, total: parse + check + analysis };
}

function compile(tree: PolicyTree | undefined) {
  const checked = checkPolicies(tree === undefined ? [] : [tree], { zones: intlZones });
  if (!checked.ok || tree === undefined) throw new Error("the benchmark's policies do not load");
  const policies: PolicySet = compilePolicies(checked.model, nodeHash);
  return { model: checked.model, policies };
}

function timed<Result>(work: () => Result): readonly [Result, ms: number] {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

/** Milliseconds that this thread was on a processor: what other processes of the machine take does not count. */
function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Bytes in use after full collections. The flag may be set late, so that nobody has to start Node in another way. */
function settledHeap(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("this Node cannot be asked to collect garbage");
  for (let round = 0; round < 4; round++) collect();
  return process.memoryUsage().heapUsed;
}
