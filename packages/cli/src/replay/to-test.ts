/** `saferun replay RUN --to-test FILE`: recorded calls as a policy test that stands by what is decided now. */
import { rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  allSteps,
  type CompiledPolicySet,
  contentAt,
  exactValue,
  type Json,
  type JsonObject,
  JudgedCalls,
  normalizeUnbound,
  type Principal,
  runPolicyTests,
  shownValue,
  type ToolStep,
} from "@saferun/core";
import { nodeHash } from "@saferun/store";
import { failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable, printableJson } from "../output/printable.ts";
import { loadUsablePolicies } from "../policy-files.ts";
import type { LoadedRun } from "./load.ts";

export interface WrittenTest {
  readonly file: string;
  readonly calls: number;
  /** Calls that are no part of it: masked, erased, malformed, or of another agent or principal than the first. */
  readonly left: number;
}

/**
 * Writes a file that holds one test, and runs it: it passes under these policies, or is not written.
 * @param step Number of the one call that it is about; absent: all of the run.
 */
export async function writeTest(
  io: Io,
  { summary, tree }: LoadedRun,
  { file, patterns, step }: { readonly file: string; readonly patterns: readonly string[]; readonly step?: number },
): Promise<WrittenTest> {
  const { policies } = await loadUsablePolicies(io, patterns);
  const { name, text, calls, left } = testOf({ summary, tree }, policies, step);
  const path = resolve(io.cwd, file);
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "EEXIST") throw usage(`\`${printable(file)}\` is there already; name a new file`);
    throw failed("record.unavailable", `\`${printable(file)}\` could not be written (${code})`);
  }
  try {
    await checkPasses(io, [...patterns, file], name);
  } catch (error) {
    rmSync(path);
    throw error;
  }
  return { file, calls, left };
}

/**
 * One test of the run's calls, or of the one at `step`; it is not tried out.
 * @throws CommandError `call.missing` where no call can be had from the record.
 */
export function testOf(
  { summary, tree }: Pick<LoadedRun, "summary" | "tree">,
  policies: CompiledPolicySet,
  step?: number,
): { readonly name: string; readonly text: string } & Pick<WrittenTest, "calls" | "left"> {
  const calls = allSteps(tree.steps).filter(
    (one): one is ToolStep => one.kind === "call" && (step === undefined || one.number === step),
  );
  const usable = calls.flatMap((call) => recordedCall(call) ?? []);
  const [first] = usable;
  if (first === undefined)
    throw failed("call.missing", "no call of it can be had from the record: none was made, or it is masked or erased");
  const same = usable.filter(({ who }) => JSON.stringify(who) === JSON.stringify(first.who));
  const name = `${summary.id}${step === undefined ? "" : `, step ${step}`}`;
  return { name, text: textOf(name, first, same, policies), calls: same.length, left: calls.length - same.length };
}

/** What the policies of this directory are found by does not find a file of another name: then it is named beside them. */
async function checkPasses(io: Io, patterns: readonly string[], name: string): Promise<void> {
  const { policies, documents } = await loadUsablePolicies(io, patterns);
  const outcome = runPolicyTests(policies, documents, nodeHash).find((one) => one.name === name);
  if (outcome?.ok === true) return;
  const why = outcome === undefined ? "it was not found" : outcome.failures.join("; ");
  throw failed("policy.invalid", `the test would not pass, so it was not written: ${printable(why)}`);
}

interface Recorded {
  readonly tool: string;
  readonly args: JsonObject;
  /** What came back, masks and all; undefined where it did not run, or its result was taken out of the log. */
  readonly result: Json | undefined;
  readonly now: number;
  /** One test is about one of these. */
  readonly who: {
    readonly agent: string;
    readonly env: string;
    readonly principal: JsonObject | null;
    readonly context: JsonObject;
  };
}

/** Undefined where the record no longer holds what was judged. */
function recordedCall(step: ToolStep): Recorded | undefined {
  const args = exactValue(step.arguments.proposed);
  const recorded = exactValue(contentAt(step.decisions[0]?.content ?? null, "context"));
  if (step.tool === null || !isMap(args) || !isMap(recorded)) return undefined;
  const { agent, environment: env, principal, context, now } = recorded;
  if (typeof agent !== "string" || typeof env !== "string" || typeof now !== "number") return undefined;
  const named = isMap(principal) && principal.id !== "" ? principal : null;
  const result = step.state === "succeeded" ? shownValue(step.result) : undefined;
  return {
    tool: step.tool,
    args,
    result,
    now,
    who: { agent, env, principal: named, context: isMap(context) ? context : {} },
  };
}

/** JSON is YAML: texts of others stand in quotes with their escapes. */
function textOf(name: string, first: Recorded, calls: readonly Recorded[], policies: CompiledPolicySet): string {
  const { agent, env, principal, context } = first.who;
  const named: [string, Json][] = [
    ["agent", agent],
    ["env", env],
    ["now", new Date(first.now).toISOString()],
    ...(principal === null ? [] : ([["principal", principal]] as [string, Json][])),
    ...(Object.keys(context).length === 0 ? [] : ([["context", context]] as [string, Json][])),
  ];
  const run = new JudgedCalls();
  const steps = calls.map(({ tool, args, result }, turn) => {
    const call = { tool, args };
    const came = result === undefined ? "" : `, "result": ${JSON.stringify(result)}`;
    const expect = JSON.stringify(expectation(policies, { ...call, result, turn }, first, run));
    return `      - { "call": ${JSON.stringify(call)}${came}, "expect": ${expect} }`;
  });
  // What cannot be seen is written as its escape, which YAML reads in quotes as JSON does.
  return printableJson(
    [
      "saferun: policy/v1",
      "tests:",
      `  - name: ${JSON.stringify(name)}`,
      ...named.map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`),
      "    run:",
      ...steps,
      "",
    ].join("\n"),
  );
}

/** Judged as a test judges it. */
function expectation(
  policies: CompiledPolicySet,
  { tool, args, result, turn }: Pick<Recorded, "tool" | "args" | "result"> & { readonly turn: number },
  { who, now }: Recorded,
  run: JudgedCalls,
): Json {
  const { agent, env: environment, principal, context } = who;
  const normal = normalizeUnbound({ tool, args, agent, environment });
  if (!normal.ok) return { then: "deny" };
  const judged = {
    agent,
    environment,
    principal: principalOf(principal),
    context,
    run: { id: "run_test", prompted: false, untrusted: false, turn },
    call: { id: "call_test", depth: 0, attempt: 1 },
    now,
  };
  const decision = policies.evaluate(normal.call, judged, run.history());
  const { verdict, changed } = decision;
  const ran = { args: changed?.args ?? normal.call.args, verdict, ran: result !== undefined };
  run.add({ id: `step-${turn + 1}`, tool, at: now, turn, ...ran });
  const known = decision.by.every((id) => policies.rules.some((rule) => rule.id === id));
  return known ? { then: decision.verdict, by: [...decision.by] } : { then: decision.verdict };
}

function principalOf(recorded: JsonObject | null): Principal {
  const { id, kind, roles, labels } = recorded ?? {};
  return {
    id: typeof id === "string" ? id : "",
    kind: kind === "person" || kind === "service" ? kind : "none",
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : [],
    labels: isMap(labels) ? Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])) : {},
  };
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
