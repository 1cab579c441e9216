/** Which runs are asked for: as it stands in the address, and in words. */
import type { RunFilter } from "@saferun/server";

export type { RunFilter };
export type Happened = NonNullable<RunFilter["happened"]>;

/** In the order in which one looks for them. */
export const HAPPENED: readonly (readonly [Happened, string])[] = [
  ["live", "Live"],
  ["waiting", "Waiting"],
  ["stopped", "Stopped"],
  ["denied", "Denied"],
  ["failed", "Failed"],
  ["unknown", "Outcome unknown"],
  ["paused", "Paused"],
];

/** The other parts, with what each is called and what stands for all of them. */
export const PARTS = [
  ["agent", "Agent", "every agent"],
  ["environment", "Environment", "every environment"],
  ["tool", "Tool", "every tool"],
  ["principal", "For", "everyone"],
] as const;
export type Part = (typeof PARTS)[number][0];

/** From an address that anybody may have written: what is no part of a filter is left out. */
export function filterOf(search: Readonly<Record<string, unknown>>): RunFilter {
  const happened = HAPPENED.find(([one]) => one === search.happened)?.[0];
  const parts = PARTS.flatMap(([part]) => {
    const value = search[part];
    // Names that are numbers come out of an address as numbers.
    return typeof value === "string" || typeof value === "number" ? [[part, String(value)]] : [];
  });
  return { ...Object.fromEntries(parts), ...(happened === undefined ? {} : { happened }) };
}

export function keyOf(filter: RunFilter): string {
  return JSON.stringify([filter.happened, ...PARTS.map(([part]) => filter[part])]);
}

/** `denied`, `agent support`: what is asked for, each part by itself. */
export function partsOf(filter: RunFilter): readonly { readonly part: Part | "happened"; readonly text: string }[] {
  const happened = HAPPENED.find(([one]) => one === filter.happened)?.[1];
  return [
    ...(happened === undefined ? [] : [{ part: "happened" as const, text: happened.toLowerCase() }]),
    ...PARTS.flatMap(([part, name]) => {
      const value = filter[part];
      return value === undefined ? [] : [{ part, text: `${name.toLowerCase()} ${value}` }];
    }),
  ];
}

export function without(filter: RunFilter, part: Part | "happened"): RunFilter {
  const { [part]: _, ...rest } = filter;
  return rest;
}
