/**
 * A result without what differs each time although nothing is new: times, durations, ids.
 *
 * Plain numbers stay: `building 4/40` after `building 1/40` is progress, and masking it would make every poll a loop.
 * One pass over the characters, so that its cost grows with the length and with nothing else.
 */

/** Longer results are masked in their first and last so many characters; the middle counts as it is. */
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
const UNIT = / (?:ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?)(?![A-Za-z0-9_])/y;

/** `text` with times, durations and ids replaced by `#`, and runs of white space by one space. */
export function masked(text: string): string {
  if (text.length <= 2 * EDGE) return maskAll(text);
  return `${maskAll(text.slice(0, EDGE))}${text.slice(EDGE, -EDGE)}${maskAll(text.slice(-EDGE))}`;
}

function maskAll(text: string): string {
  let masked = "";
  /** Up to here everything is in `masked`. */
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) {
      let end = at + 1;
      while (isSpace(text.charCodeAt(end))) end++;
      if (end > at + 1 || code !== 32) {
        masked += `${text.slice(copied, at)} `;
        copied = end;
      }
      at = end;
    } else if (isWord(code)) {
      const word = wordAt(text, at);
      const end = word.digits ? noiseEnd(text, at, word.end) : at;
      if (end > at) {
        masked += `${text.slice(copied, at)}#`;
        copied = end;
      }
      at = Math.max(end, word.end);
    } else at++;
  }
  return (masked + text.slice(copied)).trim();
}

/** Where the noise ends that begins at `start`; `start` where there is none. */
function noiseEnd(text: string, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST) return start;
  const last = text.charCodeAt(end - 1);
  // A short word that ends in a digit is a plain number or name: `40`, `12.50`, `a3`.
  if (length >= 6 || !isDigit(last)) return NOISE.test(text.slice(start, end)) ? end : afterUnit(text, start, end);
  return afterUnit(text, start, end);
}

function afterUnit(text: string, start: number, end: number): number {
  if (text.charCodeAt(end) !== 32 || !isDigit(text.charCodeAt(start)) || !isDigit(text.charCodeAt(end - 1)))
    return start;
  UNIT.lastIndex = end;
  return UNIT.test(text) ? UNIT.lastIndex : start;
}

/** A word is letters, digits, `_` and `-`; and `.`, `:` and `+` where digits stand on both sides. */
function wordAt(text: string, start: number): { readonly end: number; readonly digits: boolean } {
  let digits = false;
  let end = start;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (isDigit(code)) digits = true;
    else if (code === 45) {
      if (!isWord(text.charCodeAt(end + 1))) break;
    } else if (code === 46 || code === 58 || code === 43) {
      if (!isDigit(text.charCodeAt(end - 1)) || !isDigit(text.charCodeAt(end + 1))) break;
    } else if (!isWord(code)) break;
  }
  return { end, digits };
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isWord(code: number): boolean {
  return isDigit(code) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code === 181;
}
