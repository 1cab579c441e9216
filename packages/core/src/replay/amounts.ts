/** What the recorded arguments of a call are to a person, by what its decision says that they count. */
import { type AmountAt, type ArgumentUnits, amountsAt, fixedUnits } from "../argument-units.ts";
import type { Json } from "../value/json.ts";
import { fieldOf, shownValue, textOf, textsOf } from "./content.ts";
import type { ToolStep } from "./tree.ts";

export type AmountsIn = (args: Json) => AmountAt;

type Judged = Pick<ToolStep, "arguments" | "decisions">;

export function stepAmounts(step: Judged): AmountsIn {
  const { changed, proposed } = step.arguments;
  return recordedAmounts(stepUnits(step), shownValue(changed ?? proposed));
}

/** What the arguments count, as the decision about the proposed call has it. */
export function stepUnits({ decisions }: Judged): ArgumentUnits {
  const first = decisions.find(({ approval }) => approval === null);
  return unitsOf(fieldOf(fieldOf(shownValue(first?.content ?? null), "decision"), "units"));
}

/** @param judged The arguments that the units were said of; undefined where they are not to be seen. */
export function recordedAmounts(units: ArgumentUnits, judged: Json | undefined): AmountsIn {
  return (args) => (judged === undefined ? amountsAt(fixedUnits(units), args) : amountsAt(units, judged, args));
}

/** What is none of ours says nothing. */
function unitsOf(recorded: Json | undefined): ArgumentUnits {
  const entries = typeof recorded === "object" && recorded !== null ? Object.entries(recorded as object) : [];
  return Object.fromEntries(
    entries.flatMap(([path, said]: [string, Json]) => {
      const [unit, from] = [textOf(fieldOf(said, "unit")), fieldOf(said, "from")];
      const told = from === undefined ? [] : textsOf(from);
      return unit === null || told === undefined ? [] : [[path, { unit, from: told }] as const];
    }),
  );
}
