/** Two runs side by side, aligned by their calls. */
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { type Content, shownValue } from "./content.ts";
import { allSteps } from "./run-tree.ts";
import { lengthOf } from "./totals.ts";
import type { ModelStep, RunTree, ToolStep } from "./tree.ts";

export type AlignedStep = ToolStep | ModelStep;

export interface StepDifference {
  readonly what: "prompt" | "response" | "arguments" | "ran" | "decision" | "state" | "result" | "cost" | "time";
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

/** Cells of the table that is looked through; over it, steps between the common ends are paired by their tools only. */
const MOST_CELLS = 9_000_000;

/** Every step of both runs once, in order: calls with the same arguments first, then what is near between them. */
export function alignRuns(left: RunTree, right: RunTree): readonly StepPair[] {
  const [ours, theirs] = [comparable(left), comparable(right)];
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

/** The longest common subsequence, as pairs of positions. */
function common(
  left: readonly Comparable[],
  right: readonly Comparable[],
  keyOf: (one: Comparable) => string,
): readonly (readonly [number, number])[] {
  const [ours, theirs] = [left.map(keyOf), right.map(keyOf)];
  let start = 0;
  while (start < ours.length && start < theirs.length && ours[start] === theirs[start]) start++;
  let [endLeft, endRight] = [ours.length, theirs.length];
  while (endLeft > start && endRight > start && ours[endLeft - 1] === theirs[endRight - 1]) {
    endLeft--;
    endRight--;
  }
  const pairs: (readonly [number, number])[] = Array.from({ length: start }, (_, index) => [index, index] as const);
  const [rows, columns] = [endLeft - start, endRight - start];
  if (rows * columns <= MOST_CELLS) {
    const width = columns + 1;
    const lengths = new Uint32Array((rows + 1) * width);
    const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
    for (let row = rows - 1; row >= 0; row--) {
      for (let column = columns - 1; column >= 0; column--) {
        lengths[row * width + column] =
          ours[start + row] === theirs[start + column]
            ? at(row + 1, column + 1) + 1
            : Math.max(at(row + 1, column), at(row, column + 1));
      }
    }
    for (let row = 0, column = 0; row < rows && column < columns; ) {
      if (ours[start + row] === theirs[start + column]) pairs.push([start + row++, start + column++]);
      else if (at(row + 1, column) >= at(row, column + 1)) row++;
      else column++;
    }
  }
  for (let index = 0; endLeft + index < ours.length; index++) pairs.push([endLeft + index, endRight + index]);
  return pairs;
}

function alone(match: "left" | "right", one: Comparable | undefined): StepPair {
  const step = one?.step ?? null;
  return { match, left: match === "left" ? step : null, right: match === "right" ? step : null, differences: [] };
}

function pair(match: "same" | "near", { step: left }: Comparable, { step: right }: Comparable): StepPair {
  const [ours, theirs] = [facts(left), facts(right)];
  const differences = ours.flatMap(([what, text], index) => {
    const other = theirs[index]?.[1] ?? "";
    return text === other ? [] : [{ what, left: text, right: other }];
  });
  return { match, left, right, differences };
}

type Fact = readonly [StepDifference["what"], string];

function facts(step: AlignedStep): readonly Fact[] {
  if (step.kind === "model") {
    return [
      ["prompt", step.model ?? ""],
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

/** Of a model's answer: what a provider writes anew into each, whatever was said. */
const NAMES_ONLY: ReadonlySet<string> = new Set(["providerMetadata", "toolCallId", "id"]);

/** What a model said and asked for: two answers that say the same are the same, whatever their provider calls them. */
function saidIn(response: Content | null): string {
  const value = response === null ? undefined : shownValue(response);
  const parts = isMap(value) ? value.content : undefined;
  if (!Array.isArray(parts)) return textOf(response);
  return canonicalJson(
    (parts as readonly Json[]).map((part) =>
      isMap(part) ? Object.fromEntries(Object.entries(part).filter(([key]) => !NAMES_ONLY.has(key))) : part,
    ),
  );
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Content as one text: that of its value, else what became of it. */
function textOf(content: Content | null): string {
  if (content === null) return "";
  const value = shownValue(content);
  return value === undefined ? `(${content.state})` : canonicalJson(value);
}
