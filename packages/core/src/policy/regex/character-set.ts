/** Sets of characters (Unicode code points). */

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a set is made of: ranges, properties such as `\p{Lu}`, and sets within a set (`[^\W_]`). */
export interface SetParts {
  readonly ranges: readonly Range[];
  readonly properties: readonly { readonly test: RegExp; readonly negated: boolean }[];
  readonly negated: boolean;
}

export const MAX_POINT = 0x10ffff;

/** Members below 128 are looked up in a table; the others by search. */
export class CharacterSet {
  private readonly parts: SetParts;
  private readonly ascii = new Uint8Array(128);
  private readonly fold: boolean;

  /** `fold`: letters match whatever their case. */
  constructor(parts: SetParts, fold: boolean) {
    this.parts = fold ? { ...parts, ranges: foldRanges(parts.ranges) } : parts;
    this.fold = fold;
    for (let point = 0; point < 128; point++) this.ascii[point] = this.search(point) ? 1 : 0;
  }

  has(point: number): boolean {
    return point < 128 ? this.ascii[point] === 1 : this.search(point);
  }

  get hasProperties(): boolean {
    return this.parts.properties.length > 0;
  }

  /** The ends of all ranges, both cases of letters included. */
  edges(): readonly number[] {
    return this.parts.ranges.flatMap(({ from, to }) => [from, to]);
  }

  private search(point: number): boolean {
    const found = this.contains(point) || (this.fold && caseForms(point).some((form) => this.contains(form)));
    return found !== this.parts.negated;
  }

  private contains(point: number): boolean {
    const { ranges, properties } = this.parts;
    for (const range of ranges) if (point >= range.from && point <= range.to) return true;
    if (properties.length === 0) return false;
    const character = String.fromCodePoint(point);
    return properties.some(({ test, negated }) => test.test(character) !== negated);
  }
}

/** `k`, `K` and the Kelvin sign have one common form, and so have all that differ in case only. */
function caseFolded(point: number): number {
  return single(single(point, "toUpperCase"), "toLowerCase");
}

function caseForms(point: number): number[] {
  return [single(point, "toLowerCase"), single(point, "toUpperCase"), caseFolded(point)];
}

/** The character in the other case, or itself where that would be several characters. */
function single(point: number, method: "toUpperCase" | "toLowerCase"): number {
  const text = String.fromCodePoint(point)[method]();
  const other = text.codePointAt(0) ?? point;
  return text.length === (other > 0xffff ? 2 : 1) ? other : point;
}

/** Above this the range holds both cases of what is in it, or is not made of letters. */
const FOLDED_RANGE = 1_024;

function foldRanges(ranges: readonly Range[]): Range[] {
  const all = [...ranges];
  for (const { from, to } of ranges) {
    if (to - from > FOLDED_RANGE) continue;
    for (let point = from; point <= to; point++) {
      const folded = caseFolded(point);
      if (folded < from || folded > to) all.push({ from: folded, to: folded });
    }
  }
  return all;
}

const DIGIT: readonly Range[] = [{ from: 0x30, to: 0x39 }];
const UPPER: readonly Range[] = [{ from: 0x41, to: 0x5a }];
const LOWER: readonly Range[] = [{ from: 0x61, to: 0x7a }];
const UNDERSCORE: Range = { from: 0x5f, to: 0x5f };
const WORD: readonly Range[] = [...DIGIT, ...UPPER, ...LOWER, UNDERSCORE];
/** `\s` of RE2: without the vertical tab. */
const SPACE: readonly Range[] = [
  { from: 0x09, to: 0x0a },
  { from: 0x0c, to: 0x0d },
  { from: 0x20, to: 0x20 },
];

/** `\d`, `\w`, `\s`. */
export const PERL_CLASSES: Readonly<Record<string, readonly Range[]>> = { d: DIGIT, w: WORD, s: SPACE };

/** `[[:alpha:]]` and its like; ASCII only. */
export const POSIX_CLASSES: Readonly<Record<string, readonly Range[]>> = {
  alnum: [...DIGIT, ...UPPER, ...LOWER],
  alpha: [...UPPER, ...LOWER],
  ascii: [{ from: 0, to: 0x7f }],
  blank: [
    { from: 0x09, to: 0x09 },
    { from: 0x20, to: 0x20 },
  ],
  cntrl: [
    { from: 0, to: 0x1f },
    { from: 0x7f, to: 0x7f },
  ],
  digit: DIGIT,
  graph: [{ from: 0x21, to: 0x7e }],
  lower: LOWER,
  print: [{ from: 0x20, to: 0x7e }],
  punct: [
    { from: 0x21, to: 0x2f },
    { from: 0x3a, to: 0x40 },
    { from: 0x5b, to: 0x60 },
    { from: 0x7b, to: 0x7e },
  ],
  space: [
    { from: 0x09, to: 0x0d },
    { from: 0x20, to: 0x20 },
  ],
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, { from: 0x41, to: 0x46 }, { from: 0x61, to: 0x66 }],
};

/** All that is not in the ranges. */
export function complement(ranges: readonly Range[]): Range[] {
  const sorted = ranges.toSorted((a, b) => a.from - b.from);
  const gaps: Range[] = [];
  let next = 0;
  for (const { from, to } of sorted) {
    if (from > next) gaps.push({ from: next, to: from - 1 });
    next = Math.max(next, to + 1);
  }
  if (next <= MAX_POINT) gaps.push({ from: next, to: MAX_POINT });
  return gaps;
}

export function isWordCharacter(point: number): boolean {
  return point < 128 && WORD.some(({ from, to }) => point >= from && point <= to);
}

/** `L`, `Lu`, `Greek` → a test of one character by the runtime's own Unicode tables, or null for an unknown name. */
export function unicodeProperty(name: string): RegExp | null {
  if (!/^[A-Za-z_]{1,40}$/.test(name)) return null;
  if (name === "Any") return /^.$/su;
  try {
    return new RegExp(`^\\p{${/^[A-Z][a-z]?$/.test(name) ? name : `Script=${name}`}}$`, "u");
  } catch {
    return null;
  }
}
