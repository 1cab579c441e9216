/** What one evaluation works on: the variables, the macros' own variables, and the steps that are left. */
import { LIMITS } from "../../limits.ts";
import { type CelRecord, type CelValue, isPlain } from "./values.ts";

export class Activation {
  readonly vars: CelRecord;
  /** The arguments, looked up and found plain once for all the reads of a condition; null when they are no plain object. */
  readonly args: CelRecord | null;
  /** One slot for each macro that encloses an expression, numbered from the outside in. */
  readonly locals: CelValue[];
  steps: number;
  constructor(vars: CelRecord, locals: CelValue[]) {
    this.vars = vars;
    const { args } = vars;
    this.args = typeof args === "object" && args !== null && isPlain(args) ? (args as CelRecord) : null;
    this.locals = locals;
    this.steps = LIMITS.celSteps;
  }

  /** False when the budget is used up. Straight-line code is bounded at load; loops and long values pay here. */
  spend(steps: number): boolean {
    this.steps -= steps;
    return this.steps >= 0;
  }
}

export const OUT_OF_STEPS = `more than ${LIMITS.celSteps} steps: narrow the condition, or the schema of what it reads`;

/** Work on a text of this length counts one step. */
const UNITS_PER_STEP = 64;

/** Steps for reading a value once: what grows with its size. */
export function costOf(value: CelValue): number {
  if (typeof value === "string") return Math.floor(value.length / UNITS_PER_STEP);
  if (Array.isArray(value)) return value.length;
  return value instanceof Uint8Array ? Math.floor(value.length / UNITS_PER_STEP) : 0;
}
