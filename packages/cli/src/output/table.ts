/** Columns of text for a terminal; colour codes do not count as width. */
const CODES = /\u001b\[[0-9;]*m/g;

export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell + " ".repeat((widths[index] ?? 0) - width(cell))))
      .join("  ")
      .trimEnd(),
  );
}

function width(cell: string): number {
  return cell.replace(CODES, "").length;
}
