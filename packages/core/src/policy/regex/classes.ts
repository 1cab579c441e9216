/** Characters that a pattern does not tell apart, numbered. */
import { type CharacterSet, MAX_POINT } from "./character-set.ts";
import { kindOf, REPRESENTATIVES } from "./closure.ts";
import type { Instruction } from "./program.ts";

/** A class fits in one byte of a table, and the rest is for other patterns. */
const MAX_CLASSES = 128;
const MAX_SETS = 256;
/** Edges of ranges that are tried, over all sets. */
const MAX_EDGES = 1_024;
/** Unicode properties have no edges to try: letters, marks, digits and signs of the common scripts instead. */
const COMMON = "éÀñßøŁЖжΩαאا٣अ५กა中ひカ한ー😀€–“\u00a0\u0301ªⅣ²ǅ";
/** Characters outside of ASCII whose class is remembered. */
const REMEMBERED = 256;

/**
 * The classes of all of ASCII, and of the characters outside of it that were tried when it was made. A character unlike
 * all of these has no class.
 */
export class Classes {
  /** Number of classes. */
  readonly size: number;
  /** By class: one character of it. */
  readonly points: readonly number[];
  /** By class: an index into `REPRESENTATIVES`, as far as the pattern's assertions ask. */
  readonly kinds: readonly number[];
  /** Class of each character below 128. */
  readonly ascii = new Uint8Array(128);
  /** Questions asked for a character outside of ASCII. */
  readonly cost: number;
  private readonly sets: readonly CharacterSet[];
  private readonly asks: Asks;
  /** One for each set: class so far, and whether the character is in the set → class. */
  private readonly steps: readonly (readonly number[])[];
  private readonly remembered = new Int32Array(REMEMBERED).fill(-1);
  private readonly classes = new Int16Array(REMEMBERED);

  private constructor(sets: readonly CharacterSet[], asks: Asks, points: readonly number[]) {
    this.sets = sets;
    this.asks = asks;
    this.cost = sets.length + 1;
    const groups = points.map((point) => kindAsked(point, asks));
    this.steps = sets.map((set) => {
      const step: number[] = [];
      let count = 0;
      for (const [index, point] of points.entries()) {
        const key = (groups[index] ?? 0) * 2 + (set.has(point) ? 1 : 0);
        groups[index] = step[key] ??= count++;
      }
      return step;
    });
    // Without a set the kind is the class; its numbers have gaps then, which costs nothing.
    const first: number[] = [];
    for (const [index, group] of groups.entries()) first[group] ??= points[index] ?? 0;
    this.size = first.length;
    this.points = Array.from(first, (point) => point ?? 0);
    this.kinds = this.points.map((point) => kindAsked(point, asks));
    for (let point = 0; point < 128; point++) this.ascii[point] = groups[point] ?? 0;
  }

  /** Null for a pattern of too many kinds of characters. */
  static of(program: readonly Instruction[]): Classes | null {
    const sets = [...new Set(program.flatMap((instruction) => (instruction.op === "set" ? [instruction.set] : [])))];
    if (sets.length > MAX_SETS) return null;
    const points = new Set(Array.from({ length: 128 }, (_, point) => point));
    for (const set of sets) {
      for (const edge of set.edges()) {
        for (const point of [edge - 1, edge, edge + 1]) if (point >= 0 && point <= MAX_POINT) points.add(point);
        if (points.size > MAX_EDGES) return null;
      }
    }
    if (sets.some((set) => set.hasProperties)) {
      for (const character of COMMON) points.add(character.codePointAt(0) ?? 0);
    }
    const classes = new Classes(sets, asksOf(program), [...points]);
    return classes.size > MAX_CLASSES ? null : classes;
  }

  /** Class of any character; -1 for one unlike all that were tried. What is remembered changes no answer. */
  of(point: number): number {
    if (point < 128) return this.ascii[point] ?? -1;
    const slot = point % REMEMBERED;
    if (this.remembered[slot] !== point) {
      this.classes[slot] = this.find(point);
      this.remembered[slot] = point;
    }
    return this.classes[slot] ?? -1;
  }

  private find(point: number): number {
    let group: number | undefined = kindAsked(point, this.asks);
    for (const [index, set] of this.sets.entries()) {
      group = this.steps[index]?.[group * 2 + (set.has(point) ? 1 : 0)];
      if (group === undefined) return -1;
    }
    return group < this.size ? group : -1;
  }
}

/** What the pattern's assertions ask of the characters around a position. */
interface Asks {
  readonly lines: boolean;
  readonly words: boolean;
}

function asksOf(program: readonly Instruction[]): Asks {
  const asked = new Set(program.flatMap((instruction) => (instruction.op === "assert" ? [instruction.assertion] : [])));
  return {
    lines: asked.has("line-start") || asked.has("line-end"),
    words: asked.has("word-boundary") || asked.has("no-word-boundary"),
  };
}

function kindAsked(point: number, { lines, words }: Asks): number {
  const kind = kindOf(point);
  return (kind === 1 && lines) || (kind === 2 && words) ? kind : REPRESENTATIVES.length - 1;
}
