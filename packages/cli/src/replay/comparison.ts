/** Two runs side by side, for programs and pages. */
import { type AlignedStep, compareRuns, type RunTree, type StepPair, toWire } from "@saferun/core";

export function comparisonJson(left: RunTree, right: RunTree, pairs: readonly StepPair[]) {
  const first = pairs.find(isOther);
  return {
    differs: first !== undefined,
    about: [...compareRuns(left, right)],
    first: first === undefined ? null : { left: first.left?.number ?? null, right: first.right?.number ?? null },
    totals: { left: toWire(left.totals), right: toWire(right.totals) },
    steps: pairs.map((pair) => ({
      match: pair.match,
      left: placeOf(pair.left),
      right: placeOf(pair.right),
      differences: [...pair.differences],
    })),
  };
}

export function isOther({ match, differences }: StepPair): boolean {
  return match === "left" || match === "right" || differences.some(({ what }) => what !== "cost" && what !== "time");
}

function placeOf(step: AlignedStep | null) {
  return step === null ? null : { number: step.number, kind: step.kind, name: nameOf(step), seq: step.seq };
}

export function nameOf(step: AlignedStep): string {
  return step.kind === "call" ? (step.tool ?? "(name erased)") : (step.model ?? "model");
}
