/** Text → the words that are looked for. Index and predicate cut the same way, so that they find the same. */

/** Longer words (keys, blobs) count by their beginning. */
const LONGEST = 64;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const ASCII_WORD = /[a-z0-9]+/g;
const ASCII = /^[\x00-\x7f]*$/;

/** Lower case, compatibility forms folded (NFKC), in the order of the text; everything but letters and digits divides. */
export function wordsOf(text: string): string[] {
  const words = ASCII.test(text)
    ? text.toLowerCase().match(ASCII_WORD)
    : text.normalize("NFKC").toLowerCase().normalize("NFKC").match(WORD);
  return words === null
    ? []
    : words.map((word) => (word.length <= LONGEST ? word : word.slice(0, LONGEST).toWellFormed()));
}

/** True when the words follow one another; with `prefix` the last one is a beginning. */
export function includesWords(text: readonly string[], words: readonly string[], prefix: boolean): boolean {
  const last = words.length - 1;
  return text.some((_, at) =>
    words.every((word, index) => {
      const found = text[at + index];
      return prefix && index === last ? found?.startsWith(word) === true : found === word;
    }),
  );
}
