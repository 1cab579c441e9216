/** The nearest valid word, for messages. */

/** Longer words are not compared: the work grows with the product of two lengths. */
const LONGEST = 256;

/** The option that a person most likely meant, or undefined when none is near. Ties go to the first in order. */
export function nearest(word: string, options: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const limit = Math.max(1, Math.floor(word.length / 3));
  const folded = fold(word);
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const option of options) {
    if (option === word || Math.abs(option.length - word.length) >= bestDistance) continue;
    const distance = fold(option) === folded ? 0 : editDistance(folded, fold(option));
    if (distance < bestDistance) {
      best = option;
      bestDistance = distance;
    }
  }
  return best;
}

/** Two names with the same fold look alike to a person: `Amount` and `amount`, two Unicode spellings of one word. */
export function fold(word: string): string {
  // Most names are ASCII, and normalising ten thousand of them would be felt.
  return (ASCII.test(word) ? word : word.normalize("NFKC")).toLowerCase();
}

const ASCII = /^[\x20-\x7e]*$/;

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(from: string, to: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, at(older, column - 2) + 1);
      }
      current.push(cost);
    }
    older = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
