/**
 * A pattern as a table: one look-up for each character. Made once when the pattern is read, where it stays small; other
 * patterns are run by the machine itself.
 */
import { NOTHING } from "./assertions.ts";
import { Classes } from "./classes.ts";
import { closureOf, REPRESENTATIVES, Visited } from "./closure.ts";
import type { Instruction } from "./program.ts";

/** Entries of a table, of two bytes each: ten thousand patterns of the largest size fill 80 MB. */
export const MAX_ENTRIES = 4_096;
/** Visits of an instruction while a table is made; a millisecond or so. */
export const MAX_BUILDING = 20_000;

const DEAD = 0;
const MATCHED = 1;
const START = 2;

export interface Table {
  readonly classes: Classes;
  /** State × number of classes + class → state. */
  readonly next: Uint16Array;
  /** By state: 1 where a text that ends here matches. */
  readonly ends: Uint8Array;
}

/** Null where it would take too many states, too many classes or too long to make. */
export function buildTable(program: readonly Instruction[], anchored: boolean): Table | null {
  if (program.length > MAX_BUILDING) return null;
  const classes = Classes.of(program);
  return classes === null ? null : new Builder(program, anchored, classes).build();
}

interface State {
  /** Instructions from which what takes no character has not been followed yet. */
  readonly cores: readonly number[];
  /** The kind of the character before: an index into `REPRESENTATIVES`. */
  readonly before: number;
}

class Builder {
  private readonly program: readonly Instruction[];
  private readonly anchored: boolean;
  private readonly classes: Classes;
  private readonly numbers = new Map<string, number>();
  private readonly states: State[] = [];
  private readonly visited: Visited;

  constructor(program: readonly Instruction[], anchored: boolean, classes: Classes) {
    this.program = program;
    this.anchored = anchored;
    this.visited = new Visited(program.length);
    this.classes = classes;
  }

  build(): Table | null {
    const { size } = this.classes;
    const most = Math.floor(MAX_ENTRIES / size);
    const next = new Uint16Array(MAX_ENTRIES);
    const ends = new Uint8Array(most);
    next.fill(MATCHED, MATCHED * size, START * size);
    ends[MATCHED] = 1;
    this.numberOf([0], 0);
    for (let index = 0; index < this.states.length; index++) {
      const state = this.states[index];
      if (state === undefined || this.visited.visits > MAX_BUILDING || this.states.length + START > most) return null;
      const row = this.row(state);
      next.set(row, (index + START) * size);
      ends[index + START] = this.follow(state, 0) === null ? 1 : 0;
    }
    const count = this.states.length + START;
    return { classes: this.classes, next: next.slice(0, count * size), ends: ends.slice(0, count) };
  }

  private row(state: State): readonly number[] {
    const { points, kinds } = this.classes;
    const byKind = new Map<number, readonly number[] | null>();
    return points.map((point, group) => {
      const kind = kinds[group] ?? 0;
      if (!byKind.has(kind)) byKind.set(kind, this.follow(state, kind));
      const waiting = byKind.get(kind) ?? null;
      return waiting === null ? MATCHED : this.after(waiting, point, kind);
    });
  }

  private follow({ cores, before }: State, kind: number): readonly number[] | null {
    const after = REPRESENTATIVES[kind] ?? NOTHING;
    return closureOf(this.program, cores, REPRESENTATIVES[before] ?? NOTHING, after, this.visited);
  }

  private after(waiting: readonly number[], point: number, kind: number): number {
    this.visited.visits += waiting.length;
    const cores: number[] = [];
    for (const index of waiting) {
      const instruction = this.program[index];
      if (instruction?.op === "set" && instruction.set.has(point)) cores.push(index + 1);
    }
    // A match may begin at every position.
    if (!this.anchored) cores.push(0);
    // Waiting instructions are without doubles, and 0 comes after none.
    if (cores.length > 1) cores.sort((a, b) => a - b);
    return cores.length === 0 ? DEAD : this.numberOf(cores, kind);
  }

  private numberOf(cores: readonly number[], before: number): number {
    const key = `${before}:${cores.join()}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.states.push({ cores, before }) - 1 + START;
    this.numbers.set(key, number);
    return number;
  }
}

/**
 * Does the pattern match anywhere in the text? Null when that takes more than `work` visits, undefined where the text
 * holds a character that the table was not made for. `spent` is told the visits: one for each character, and outside of
 * ASCII one for each question that gives its class.
 */
export function runTable(
  { classes, next, ends }: Table,
  text: string,
  work: number,
  spent: (visits: number) => void,
): boolean | null | undefined {
  const { ascii, size, cost } = classes;
  const { length } = text;
  let state = START;
  let at = 0;
  let rare = 0;
  while (at < length && state > MATCHED && at + rare <= work) {
    const unit = text.charCodeAt(at);
    let group = 0;
    if (unit < 128) group = ascii[unit] ?? 0;
    else {
      const point = text.codePointAt(at) ?? unit;
      group = classes.of(point);
      rare += cost;
      if (point > 0xffff) at++;
    }
    at++;
    if (group < 0) {
      spent(at + rare);
      return undefined;
    }
    state = next[state * size + group] ?? DEAD;
  }
  spent(at + rare + 1);
  if (state <= MATCHED) return state === MATCHED;
  return at + rare > work ? null : ends[state] === 1;
}
