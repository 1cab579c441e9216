/** What a suite reports: rows of figures, and floors of the product that hold or do not. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the product promises about this figure, for example `≤ 2`; absent for context rows such as peers. */
  readonly floor?: { readonly text: string; readonly holds: boolean };
}

export interface Report {
  readonly suite: string;
  readonly how: string;
  readonly rows: readonly Row[];
}

export function atMost(limit: number): (value: number) => NonNullable<Row["floor"]> {
  return (value) => ({ text: `≤ ${limit}`, holds: value <= limit });
}

export function atLeast(limit: number): (value: number) => NonNullable<Row["floor"]> {
  return (value) => ({ text: `≥ ${limit}`, holds: value >= limit });
}

export function row(
  what: string,
  value: number,
  unit: string,
  floor?: (value: number) => NonNullable<Row["floor"]>,
): Row {
  return floor === undefined ? { what, value, unit } : { what, value, unit, floor: floor(value) };
}

export function table(report: Report): string {
  const lines = report.rows.map(({ what, value, unit, floor }) => {
    const mark = floor === undefined ? "" : floor.holds ? `  ${floor.text} holds` : `  ${floor.text} MISSED`;
    return `  ${what.padEnd(84)} ${shown(value).padStart(10)} ${unit.padEnd(8)}${mark}`;
  });
  return [`${report.suite}: ${report.how}`, ...lines].join("\n");
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
