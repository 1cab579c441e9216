/**
 * A result without what differs each time although nothing is new: times, durations, ids.
 *
 * Plain numbers stay: `building 4/40` after `building 1/40` is progress, and masking it would make every poll a loop.
 * One pass over UTF-8 bytes, since those are recorded and digested anyway; its cost grows with the length and with nothing else.
 */

/** Longer results are masked in their first and last so many bytes; the middle counts as it is. */
const EDGE = 8_192;
/** Longer words are no ids. */
const LONGEST = 128;

const NOISE = new RegExp(
  `^(?:${[
    // 2026-05-01T09:30:00.123Z
    String.raw`\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?`,
    // 09:30:00.123
    String.raw`\d\d:\d\d:\d\d(?:\.\d{1,9})?`,
    // 12ms, 0.42s
    String.raw`\d{1,12}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|secs?|mins?)`,
    // seconds or milliseconds since 1970, from 2001 to 2286
    String.raw`[1-9]\d{9}(?:\d{3})?(?:\.\d{1,9})?`,
    // UUIDs
    "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    // addresses of objects, digests and hexadecimal ids with letters and digits
    "0x[0-9a-fA-F]{4,64}",
    String.raw`(?=\d*[a-f])[0-9a-f]{12,128}`,
    // req_8fK2mPq0Zx91: a prefix, then letters and digits mixed
    String.raw`[A-Za-z]{2,12}[_-](?=\d*[A-Za-z])[A-Za-z0-9]{10,64}`,
  ].join("|")})$`,
);

/** After a number: `12 seconds`. */
const UNIT = /^ (?:ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?)(?![A-Za-z0-9_])/;
/** A unit, the space before it, and what must not follow. */
const UNIT_BYTES = 10;

/** What a byte is; 0: plain. A digit is a word's character too. */
const SPACE = 1;
const WORD = 2;
const DIGIT = 4;
/** `.`, `:`, `+`: part of a word between digits. */
const INNER = 8;
/** `-`: part of a word before another part. */
const DASH = 16;
/** Of JSON texts: `\n12ms` is the end of a line and a duration. */
const ESCAPE = 32;
/** The first byte of U+00A0, a space, and of U+00B5, of `µs`. */
const LEAD = 64;
const LEAD_BYTE = 0xc2;
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte > 127) return byte === LEAD_BYTE ? LEAD : 0;
  const letter = String.fromCharCode(byte);
  if (/\w/.test(letter)) return /\d/.test(letter) ? WORD | DIGIT : WORD;
  if (/\s/.test(letter)) return SPACE;
  return { ".": INNER, ":": INNER, "+": INNER, "-": DASH, "\\": ESCAPE }[letter] ?? 0;
});

const decoder = new TextDecoder();

const BLANK = 0x20;
const MASK = 0x23;
const NO_BREAK = 0xa0;
const MICRO = 0xb5;

/**
 * Writes `text`, UTF-8, with times, durations and ids replaced by `#`, and runs of white space by one space, into `target`
 * from `to` on; where it ends there. It is never longer than `text`.
 */
export function maskInto(text: Uint8Array, target: Uint8Array, to: number): number {
  if (text.length <= 2 * EDGE) return maskAll(text, target, to);
  const middle = maskAll(text.subarray(0, EDGE), target, to);
  target.set(text.subarray(EDGE, -EDGE), middle);
  return maskAll(text.subarray(-EDGE), target, middle + text.length - 2 * EDGE);
}

function maskAll(text: Uint8Array, target: Uint8Array, from: number): number {
  const { length } = text;
  let to = from;
  let at = 0;
  while (at < length) {
    const byte = text[at] ?? 0;
    const kind = KINDS[byte] ?? 0;
    const wide = kind === LEAD ? secondOf(text, at) : 0;
    if ((kind & WORD) !== 0 || wide === MICRO) {
      const end = wordEnd(text, at);
      const noise = end < 0 ? noiseEnd(text, at, -end) : at;
      if (noise > at) {
        target[to++] = MASK;
        at = noise;
      } else for (const last = Math.abs(end); at < last; at++) target[to++] = text[at] ?? 0;
    } else if (kind === SPACE || wide === NO_BREAK) {
      if (to > from && target[to - 1] !== BLANK) target[to++] = BLANK;
      at += kind === SPACE ? 1 : 2;
    } else {
      target[to++] = byte;
      at++;
      if (kind === ESCAPE && at < length) target[to++] = text[at++] ?? 0;
    }
  }
  return to > from && target[to - 1] === BLANK ? to - 1 : to;
}

/**
 * Where the word ends that begins at `start`: letters, digits and `_`; `-` before another of these; `.`, `:` and `+` with
 * digits on both sides. Negative where it has a digit.
 */
function wordEnd(text: Uint8Array, start: number): number {
  let kinds = 0;
  let at = start;
  for (; at < text.length; at++) {
    const kind = KINDS[text[at] ?? 0] ?? 0;
    kinds |= kind;
    if ((kind & WORD) !== 0) continue;
    if ((kind & (INNER | DASH | LEAD)) === 0) break;
    if (kind === LEAD) {
      if (secondOf(text, at) !== MICRO) break;
      at++;
    } else if (kind === DASH) {
      if (!isWord(text, at + 1)) break;
    } else if (!isDigit(text, at - 1) || !isDigit(text, at + 1)) break;
  }
  return (kinds & DIGIT) === 0 ? at : -at;
}

/** Where the noise ends that begins at `start`; `start` where there is none. */
function noiseEnd(text: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST) return start;
  const plain = isDigit(text, end - 1);
  // A short word that ends in a digit is a plain number or name: `40`, `12.50`, `a3`.
  if ((length >= 6 || !plain) && NOISE.test(lettersOf(text, start, end))) return end;
  if (!plain || end === text.length || text[end] !== BLANK || !isDigit(text, start)) return start;
  const [unit] = UNIT.exec(lettersOf(text, end, Math.min(end + UNIT_BYTES, text.length))) ?? [];
  if (unit === undefined) return start;
  return end + unit.length + (unit.includes("µ") ? 1 : 0);
}

function lettersOf(text: Uint8Array, start: number, end: number): string {
  return decoder.decode(text.subarray(start, end));
}

function isWord(text: Uint8Array, at: number): boolean {
  return at < text.length && (((KINDS[text[at] ?? 0] ?? 0) & WORD) !== 0 || secondOf(text, at) === MICRO);
}

function isDigit(text: Uint8Array, at: number): boolean {
  return at >= 0 && at < text.length && ((KINDS[text[at] ?? 0] ?? 0) & DIGIT) !== 0;
}

/** The byte after a leading one; 0 where there is none. */
function secondOf(text: Uint8Array, at: number): number {
  return text[at] === LEAD_BYTE && at + 1 < text.length ? (text[at + 1] ?? 0) : 0;
}
