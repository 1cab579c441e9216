/** Runs the `tests:` of policy files against a policy set: judged only, no tool runs. */

import { normalize } from "../call.ts";
import type { Decision, EvaluationContext, Principal, Span, Verdict } from "../decision.ts";
import { changedPaths } from "../edit.ts";
import type { Hash } from "../ports.ts";
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { parseTimestamp } from "./cel/time.ts";
import { Timestamp } from "./cel/values.ts";
import type { TestSource } from "./format.ts";
import { JudgedCalls } from "./judged-calls.ts";
import type { PolicyDocument } from "./model.ts";
import type { CompiledPolicySet } from "./policy-set.ts";

export interface PolicyTestOutcome {
  readonly name: string;
  readonly span: Span;
  readonly ok: boolean;
  /** What differed, one line each, in the order of the steps. */
  readonly failures: readonly string[];
}

/** Every test of every document, in order. Total: a test that cannot be run has failed. */
export function runPolicyTests(
  policies: CompiledPolicySet,
  documents: readonly PolicyDocument[],
  hash: Hash,
): readonly PolicyTestOutcome[] {
  return documents.flatMap(({ source }) =>
    (source.tests ?? []).map((test) => {
      const run = new JudgedCalls();
      const failures = stepsOf(test).flatMap((step, index, all) =>
        runStep(step, { test, policies, hash, run, turn: index }).map((failure) =>
          all.length > 1 ? `step ${index + 1}: ${failure}` : failure,
        ),
      );
      return { name: test.name, span: test.span, ok: failures.length === 0, failures };
    }),
  );
}

interface Around {
  readonly test: TestSource;
  readonly policies: CompiledPolicySet;
  readonly hash: Hash;
  /** The steps before. */
  readonly run: JudgedCalls;
  readonly turn: number;
}

type Step = NonNullable<TestSource["run"]>[number];

function stepsOf(test: TestSource): readonly Omit<Step, "span">[] {
  if (test.run !== undefined) return test.run;
  return test.call === undefined || test.expect === undefined ? [] : [{ call: test.call, expect: test.expect }];
}

function runStep(
  { call, expect, result }: Omit<Step, "span">,
  { test, policies, hash, run, turn }: Around,
): readonly string[] {
  const agent = test.agent?.value ?? "agent";
  const environment = test.env?.value ?? policies.environments[0]?.name ?? "";
  const normal = normalize({ tool: call.tool.value, args: call.args?.value ?? {}, agent, environment }, hash);
  // What the gate itself refuses is a denial as well, by the id under which it is recorded.
  const decided: Decided = normal.ok
    ? policies.evaluate(normal.call, contextOf(test, agent, environment, turn), run.history())
    : { verdict: "deny", by: ["call.malformed"] };
  if (normal.ok) {
    const { verdict, changed } = decided;
    const args = changed?.args ?? normal.call.args;
    const named = { id: `step-${turn + 1}`, tool: normal.call.tool, args, at: momentOf(test.now), turn };
    run.add({ ...named, verdict, ran: result !== undefined });
  }
  const expected = typeof expect === "string" ? { then: expect } : expect;
  const wrong = differences(decided, expected);
  if (wrong.length > 0 || !("args" in expected) || expected.args === undefined) return wrong;
  if (!normal.ok || decided.verdict === "deny") return ["expected arguments, but nothing would run"];
  return argumentDifferences(decided.changed?.args ?? normal.call.args, expected.args.value);
}

type Decided = Pick<Decision, "verdict" | "by" | "changed"> & Partial<Pick<Decision, "reason">>;

/** A test's own values may be shown: they stand in its file. What the policies made of them is in the file, too. */
function argumentDifferences(args: JsonObject, expected: Json): readonly string[] {
  const paths = changedPaths(expected, args);
  if (paths.length === 0) return [];
  const where = paths.map((path) => (path === "" ? "the whole" : `\`${path}\``)).join(", ");
  return [`expected other arguments: ${where} differ; it would run with ${canonicalJson(args)}`];
}

function differences(
  { verdict, by, reason }: Decided,
  expected: { readonly then: Verdict; readonly by?: readonly { readonly value: string }[] },
): readonly string[] {
  // No rule of a file says why arguments do not fit a schema, which may be the framework's own.
  const why = reason !== undefined && by.some((id) => id.startsWith("schema:")) ? `: ${reason}` : "";
  const told = `${verdict} by ${by.join(", ")}${why}`;
  if (verdict !== expected.then) return [`expected ${expected.then}, got ${told}`];
  if (expected.by === undefined) return [];
  const ids = [...new Set(expected.by.map((id) => id.value))].sort();
  return ids.join("\n") === by.join("\n") ? [] : [`expected ${expected.then} by ${ids.join(", ")}, got ${told}`];
}

/** 2000-01-01T00:00:00Z: a test without a `now` is the same on every day. */
const NOW_MS = 946_684_800_000;

function contextOf(test: TestSource, agent: string, environment: string, turn: number): EvaluationContext {
  return {
    agent,
    environment,
    principal: principalOf(test.principal),
    context: objectOf(test.context?.value),
    run: { id: "run_test", prompted: false, untrusted: false, turn },
    call: { id: "call_test", depth: 0, attempt: 1 },
    now: momentOf(test.now),
  };
}

function principalOf(source: TestSource["principal"]): Principal {
  if (source === undefined) return { id: "", kind: "none", roles: [], labels: {} };
  const labels = Object.entries(objectOf(source.labels?.value)).map(([key, value]) => [key, String(value)] as const);
  return {
    id: source.id.value,
    kind: source.kind ?? "person",
    roles: (source.roles ?? []).map((role) => role.value),
    labels: Object.fromEntries(labels),
  };
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function momentOf(now: string | undefined): number {
  const moment = now === undefined ? undefined : parseTimestamp(now, 0);
  return moment instanceof Timestamp ? Number(moment.nanos / 1_000_000n) : NOW_MS;
}
