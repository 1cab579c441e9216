/** What the recorded arguments of a call are to a person, by what its decision says that they count. */
import { type AmountAt, type ArgumentUnits, amountsAt, fixedUnits } from "../argument-units.ts";
import type { Json } from "../value/json.ts";
import { fieldOf, shownValue, textOf, textsOf } from "./content.ts";
import type { ToolStep } from "./tree.ts";

export type AmountsIn = (args: Json) => AmountAt;

export function stepAmounts({ arguments: args, decisions }: Pick<ToolStep, "arguments" | "decisions">): AmountsIn {
  const first = decisions.find(({ approval }) => approval === null);
  return recordedAmounts(shownValue(first?.content ?? null), shownValue(args.changed ?? args.proposed));
}

/** @param decision The part of that name. @param judged The arguments that it is about; undefined where they are not to be seen. */
export function recordedAmounts(decision: Json | undefined, judged: Json | undefined): AmountsIn {
  const units = unitsOf(fieldOf(fieldOf(decision, "decision"), "units"));
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
