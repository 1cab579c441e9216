/** Columns of text for a terminal; colour codes have no width, wide characters two columns. */
import stringWidth from "fast-string-width";

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
  return stringWidth(cell);
}
