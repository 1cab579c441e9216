/** What two lists have in common, in order. */

/** Cells of the table that is looked through; over it, only what stands at the common ends is found. */
const MOST_CELLS = 9_000_000;

/** The longest common subsequence, as pairs of positions. */
export function commonPairs(
  left: readonly (string | number)[],
  right: readonly (string | number)[],
): readonly (readonly [number, number])[] {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let [endLeft, endRight] = [left.length, right.length];
  while (endLeft > start && endRight > start && left[endLeft - 1] === right[endRight - 1]) {
    endLeft--;
    endRight--;
  }
  const pairs: (readonly [number, number])[] = Array.from({ length: start }, (_, index) => [index, index] as const);
  const [rows, columns] = [endLeft - start, endRight - start];
  if (rows * columns <= MOST_CELLS) {
    const width = columns + 1;
    const lengths = new Uint32Array((rows + 1) * width);
    const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
    for (let row = rows - 1; row >= 0; row--) {
      for (let column = columns - 1; column >= 0; column--) {
        lengths[row * width + column] =
          left[start + row] === right[start + column]
            ? at(row + 1, column + 1) + 1
            : Math.max(at(row + 1, column), at(row, column + 1));
      }
    }
    for (let row = 0, column = 0; row < rows && column < columns; ) {
      if (left[start + row] === right[start + column]) pairs.push([start + row++, start + column++]);
      else if (at(row + 1, column) >= at(row, column + 1)) row++;
      else column++;
    }
  }
  for (let index = 0; endLeft + index < left.length; index++) pairs.push([endLeft + index, endRight + index]);
  return pairs;
}
