/** Two runs side by side, aligned by their calls. */
import { canonicalJson } from "../value/json.ts";
import { PromptComparison, type PromptDifference } from "./compare-prompts.ts";
import { type Content, fieldOf, shownValue } from "./content.ts";
import { allSteps } from "./run-tree.ts";
import { withoutNames } from "./spoken.ts";
import { commonPairs } from "./subsequence.ts";
import { lengthOf } from "./totals.ts";
import type { ModelStep, RunTree, ToolStep } from "./tree.ts";

export type AlignedStep = ToolStep | ModelStep;

export interface StepDifference {
  readonly what:
    | PromptDifference["what"]
    | "model"
    | "response"
    | "arguments"
    | "ran"
    | "decision"
    | "state"
    | "result"
    | "cost"
    | "time";
  /** Which message, tool or parameter, where it is one of several. */
  readonly where: string | null;
  readonly left: string;
  readonly right: string;
}

/** In what two runs differ as a whole. */
export interface RunDifference {
  readonly what: "agent" | "environment" | "principal" | "context" | "asked" | "policies";
  readonly left: string;
  readonly right: string;
}

/** `same`: the same call with the same arguments. `near`: the same tool, or a question to a model, at the same place. */
export interface StepPair {
  readonly match: "same" | "near" | "left" | "right";
  readonly left: AlignedStep | null;
  readonly right: AlignedStep | null;
  readonly differences: readonly StepDifference[];
}

/** Every step of both runs once, in order: calls with the same arguments first, then what is near between them. */
export function alignRuns(left: RunTree, right: RunTree): readonly StepPair[] {
  const [ours, theirs] = [comparable(left), comparable(right)];
  const prompts = new PromptComparison(left, right);
  const pair = (match: "same" | "near", one: Comparable, other: Comparable): StepPair => ({
    match,
    left: one.step,
    right: other.step,
    differences: differencesOf(one.step, other.step, prompts),
  });
  const exact = common(ours, theirs, ({ exact }) => exact);
  const pairs: StepPair[] = [];
  let [i, j] = [0, 0];
  for (const [a, b] of [...exact, [ours.length, theirs.length] as const]) {
    const [gapLeft, gapRight] = [ours.slice(i, a), theirs.slice(j, b)];
    let [x, y] = [0, 0];
    for (const [c, d] of [
      ...common(gapLeft, gapRight, ({ near }) => near),
      [gapLeft.length, gapRight.length] as const,
    ]) {
      for (; x < c; x++) pairs.push(alone("left", gapLeft[x]));
      for (; y < d; y++) pairs.push(alone("right", gapRight[y]));
      const [one, other] = [gapLeft[c], gapRight[d]];
      if (one !== undefined && other !== undefined) pairs.push(pair("near", one, other));
      [x, y] = [c + 1, d + 1];
    }
    const [one, other] = [ours[a], theirs[b]];
    if (one !== undefined && other !== undefined) pairs.push(pair("same", one, other));
    [i, j] = [a + 1, b + 1];
  }
  return pairs;
}

interface Comparable {
  readonly step: AlignedStep;
  readonly exact: string;
  readonly near: string;
}

function comparable(tree: RunTree): readonly Comparable[] {
  return allSteps(tree.steps).flatMap((step): Comparable[] => {
    if (step.kind === "event") return [];
    if (step.kind === "model") return [{ step, exact: `model ${saidIn(step.response)}`, near: "model" }];
    const near = `call ${step.tool}`;
    return [{ step, exact: `${near} ${textOf(step.arguments.proposed)}`, near }];
  });
}

function alone(match: "left" | "right", one: Comparable | undefined): StepPair {
  const step = one?.step ?? null;
  return { match, left: match === "left" ? step : null, right: match === "right" ? step : null, differences: [] };
}

/** The longest common subsequence; where the runs are very long, steps between their common ends are paired by tools only. */
function common(
  left: readonly Comparable[],
  right: readonly Comparable[],
  keyOf: (one: Comparable) => string,
): readonly (readonly [number, number])[] {
  return commonPairs(left.map(keyOf), right.map(keyOf));
}

function differencesOf(left: AlignedStep, right: AlignedStep, prompts: PromptComparison): readonly StepDifference[] {
  const [ours, theirs] = [facts(left), facts(right)];
  const differing = ours.flatMap(([what, text], index): StepDifference[] => {
    const other = theirs[index]?.[1] ?? "";
    return text === other ? [] : [{ what, where: null, left: text, right: other }];
  });
  // What ran is said where it is not what was proposed on both sides.
  const proposed = differing.find(({ what }) => what === "arguments");
  const found = differing.filter(
    ({ what, left, right }) => what !== "ran" || left !== proposed?.left || right !== proposed.right,
  );
  return left.kind === "model" && right.kind === "model" ? [...prompts.differences(left, right), ...found] : found;
}

/** What stood before their first step: who asked whom for what, and under which policies. */
export function compareRuns(left: RunTree, right: RunTree): readonly RunDifference[] {
  const [ours, theirs] = [runFacts(left), runFacts(right)];
  return ours.flatMap(([what, text], index) => {
    const other = theirs[index]?.[1] ?? "";
    return text === other ? [] : [{ what, left: text, right: other }];
  });
}

function runFacts(tree: RunTree): readonly (readonly [RunDifference["what"], string])[] {
  const revisions = allSteps(tree.steps).flatMap((step) =>
    step.kind === "call" ? step.decisions.flatMap(({ revision }) => revision ?? []) : [],
  );
  return [
    ["agent", tree.agent ?? ""],
    ["environment", tree.environment ?? ""],
    ["principal", textOf(tree.principal)],
    ["context", textOf(tree.context)],
    ["asked", textOf(tree.prompt)],
    ["policies", [...new Set(revisions)].join(", ")],
  ];
}

type Fact = readonly [StepDifference["what"], string];

function facts(step: AlignedStep): readonly Fact[] {
  if (step.kind === "model") {
    return [
      ["model", step.model ?? ""],
      ["response", saidIn(step.response)],
      ["decision", step.decision === null ? "" : `${step.decision.verdict} by ${step.decision.by.join(", ")}`],
      ["state", step.state],
      ["cost", step.usdMicros ?? "unknown"],
      ["time", String(lengthOf(step.execute))],
    ];
  }
  const [decision] = step.decisions;
  const { proposed, ran } = step.arguments;
  return [
    ["arguments", textOf(proposed)],
    ["ran", textOf(ran)],
    ["decision", decision === undefined ? "" : `${decision.verdict} by ${decision.by.join(", ")}`],
    ["state", step.state],
    ["result", textOf(step.result ?? step.error)],
    ["cost", step.totals.usdMicros],
    ["time", String(step.totals.evaluateMs + step.totals.waitMs + step.totals.executeMs)],
  ];
}

/** What a model said and asked for: two answers that say the same are the same, whatever their provider calls them. */
function saidIn(response: Content | null): string {
  const value = shownValue(response);
  const said = value === undefined ? undefined : fieldOf(withoutNames(value), "content");
  return Array.isArray(said) ? canonicalJson(said) : textOf(response);
}

/** Content as one text: that of its value, else what became of it. */
function textOf(content: Content | null): string {
  if (content === null) return "";
  const value = shownValue(content);
  return value === undefined ? `(${content.state})` : canonicalJson(value);
}
