import type { CelType } from "./types.ts";
import { type CelValue, kindOf } from "./values.ts";

/** The static type of a literal. */
export function typeOfValue(value: CelValue): CelType {
  const kind = kindOf(value);
  return kind === "list" || kind === "map" || kind === "optional" ? { kind: "dyn" } : { kind };
}
