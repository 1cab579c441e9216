/** Time, tokens and cost of steps, rolled up. */
import type { RunTree, TimeSpan, ToolStep, Totals, TreeStep } from "./tree.ts";

type Counted = Exclude<TreeStep, ToolStep> | (Omit<ToolStep, "totals"> & Partial<Pick<ToolStep, "totals">>);

/** Of these steps and what lies within them; times of these steps alone. */
export function totalsOf(steps: readonly Counted[], runs: readonly RunTree[] = []): Totals {
  const sum = { calls: 0, models: 0, denied: 0, inputTokens: 0, outputTokens: 0, unpriced: 0 };
  const time = { evaluateMs: 0, waitMs: 0, executeMs: 0, modelMs: 0 };
  let micros = 0n;
  let estimated = false;
  const within = (of: Totals): void => {
    sum.calls += of.calls;
    sum.models += of.models;
    sum.denied += of.denied;
    sum.inputTokens += of.inputTokens;
    sum.outputTokens += of.outputTokens;
    sum.unpriced += of.unpriced;
    micros += BigInt(of.usdMicros);
    estimated ||= of.estimated;
  };
  for (const step of steps) {
    switch (step.kind) {
      case "model":
        sum.models += 1;
        sum.inputTokens += step.inputTokens ?? 0;
        sum.outputTokens += step.outputTokens ?? 0;
        if (step.usdMicros !== null) micros += BigInt(step.usdMicros);
        else if (step.state === "responded") sum.unpriced += 1;
        estimated ||= step.estimated;
        time.modelMs += lengthOf(step.execute);
        break;
      case "call":
        if (step.totals !== undefined) within(step.totals);
        else {
          sum.calls += 1;
          if (REFUSED.includes(step.state)) sum.denied += 1;
          within(totalsOf(step.steps, step.runs));
        }
        time.evaluateMs += step.evaluate.reduce((all, span) => all + lengthOf(span), 0);
        time.waitMs += step.wait.reduce((all, span) => all + lengthOf(span), 0);
        if (step.execute !== null) time.executeMs += lengthOf(step.execute);
        break;
      case "event":
        break;
    }
  }
  for (const run of runs) within(run.totals);
  return { ...sum, ...time, usdMicros: String(micros), estimated };
}

const REFUSED: readonly string[] = ["denied", "expired", "withdrawn"];

/** 0 while nobody knows its end. */
export function lengthOf({ from, to }: TimeSpan): number {
  return to === null ? 0 : Math.max(0, to - from);
}
