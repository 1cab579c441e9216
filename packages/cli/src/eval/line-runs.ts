/** What the lines before have done in the same run. A line that names no run is one of its own. */
import { type Decision, type EvaluationContext, JudgedCalls, NO_CALLS, type PastCalls } from "@saferun/core";
import type { CallLine } from "./call-line.ts";

export class LineRuns {
  readonly #runs = new Map<string, JudgedCalls>();

  /** Before this line. */
  before({ run }: CallLine): PastCalls {
    return (run === undefined ? undefined : this.#runs.get(run))?.history() ?? NO_CALLS;
  }

  add(
    { run, call, ran }: CallLine,
    context: EvaluationContext,
    { verdict, changed }: Pick<Decision, "verdict" | "changed">,
  ): void {
    if (run === undefined) return;
    const calls = this.#runs.get(run) ?? new JudgedCalls();
    this.#runs.set(run, calls);
    const args = changed?.args ?? call.args;
    const { call: about, now: at, run: within } = context;
    calls.add({ id: about.id, tool: call.tool, args, at, turn: within.turn, verdict, ran });
  }
}
