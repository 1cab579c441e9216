import { Fault } from "../issues.ts";
import type { CelList, Outcome } from "../values.ts";

/** Two lists of one length → the list of their pairs. */
export function zip(a: CelList, b: CelList, offset: number): Outcome {
  if (a.length !== b.length) return new Fault("`zip` needs two lists of the same length", offset);
  return a.map((item, index) => [item, b[index]]);
}
