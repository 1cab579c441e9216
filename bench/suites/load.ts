import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { analyse, checkPolicies, compilePolicies, type PolicySet, type PolicyTree } from "@saferun/core";
import { intlZones, parsePolicyFile } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { median } from "../measure.ts";
import { atMost, type Report, row } from "../report.ts";
import { decider, expectAnswer } from "./deciding.ts";
import { asYaml, callsOf, rules } from "./workload.ts";

const TOOLS = 1_000;

/** The way of `loadPolicies`, step by step, in a process that has loaded nothing yet: what a start and an edit cost. */
export async function loading(): Promise<Report> {
  const text = asYaml(rules(TOOLS, 10));
  const before = settledHeap();
  const first = load(text);
  const { policies, parse, check, analysis, findings } = first;
  const now = decider(policies, callsOf(TOOLS));
  for (let index = 0; index < TOOLS; index++) expectAnswer(now, index, "allow", "SafeRun");
  const held = (settledHeap() - before) / 2 ** 20;
  const again = median([1, 2, 3].map(() => total(load(text))));
  if (policies.revision === "") throw new Error("the policies have no revision");
  return {
    suite: "load",
    how: `10,000 rules over ${TOOLS} tools, from YAML text, the first time in this process`,
    rows: [
      row("parse", parse, "ms"),
      row("check and compile", check, "ms"),
      row(`analyse (${findings} findings)`, analysis, "ms"),
      row("load, check and analyse 10,000 rules", total(first), "ms", atMost(1_000)),
      row("the same again, as after an edit (median of 3)", again, "ms"),
      row("heap that stays, after one decision of each tool", held, "MB", atMost(30)),
    ],
  };
}

function total({ parse, check, analysis }: { parse: number; check: number; analysis: number }): number {
  return parse + check + analysis;
}

/** Trees, model and findings are garbage when it returns; what a gate holds is the policy set. */
function load(text: string) {
  const [parsed, parse] = timed(() => parsePolicyFile(text, "bench.yaml"));
  const [{ model, policies }, check] = timed(() => compile(parsed.tree));
  const [findings, analysis] = timed(() => analyse(model).length);
  return { policies, parse, check, analysis, findings };
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

/** Bytes in use after full collections. The flag may be set late, so that nobody has to start Node in another way. */
function settledHeap(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("this Node cannot be asked to collect garbage");
  for (let round = 0; round < 4; round++) collect();
  return process.memoryUsage().heapUsed;
}
