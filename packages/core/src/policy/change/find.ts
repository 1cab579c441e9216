/** Where a pattern matches in a text: leftmost, then longest, without overlap. Time grows with text × states. */
import { holds, NOTHING } from "../regex/assertions.ts";
import type { Pattern } from "../regex/match.ts";
import type { Instruction } from "../regex/program.ts";

export interface Found {
  /** UTF-16 offsets, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}

const NONE = Number.POSITIVE_INFINITY;

/** All matches that hold at least one character, in order. Null when that takes more than `work` visits of a state. */
export function findAll(pattern: Pattern, text: string, work: number): readonly Found[] | null {
  const search = new Search(pattern.program, text, work);
  const found: Found[] = [];
  for (let from = 0; from < text.length; ) {
    const next = search.from(from);
    if (next === null) return search.exhausted ? null : found;
    found.push(next);
    from = next.end;
  }
  return found;
}

/** The machine in many states at once, each with the earliest place where its match may have begun. */
class Search {
  readonly #program: readonly Instruction[];
  readonly #text: string;
  #work: number;
  exhausted = false;

  constructor(program: readonly Instruction[], text: string, work: number) {
    this.#program = program;
    this.#text = text;
    this.#work = work;
  }

  from(from: number): Found | null {
    let current = new Map<number, number>();
    let best: Found | null = null;
    for (let at = from; ; ) {
      const point = this.#point(at);
      // A later start can only lose against a match that has been found.
      if (best === null) this.#enter(0, at, at, current);
      const matched = current.get(this.#program.length - 1) ?? NONE;
      if (matched < at && (best === null || matched <= best.start)) best = { start: matched, end: at };
      if (this.exhausted) return null;
      if (point === NOTHING || (best !== null && current.size === 0)) return best;
      const next = at + (point > 0xffff ? 2 : 1);
      const states = new Map<number, number>();
      for (const [state, start] of current) {
        if (best !== null && start > best.start) continue;
        const instruction = this.#program[state];
        if (instruction?.op === "set" && instruction.set.has(point)) this.#enter(state + 1, start, next, states);
      }
      current = states;
      at = next;
    }
  }

  #point(at: number): number {
    return at < this.#text.length ? (this.#text.codePointAt(at) ?? NOTHING) : NOTHING;
  }

  #before(at: number): number {
    if (at === 0) return NOTHING;
    const unit = this.#text.charCodeAt(at - 1);
    return unit >= 0xdc00 && unit <= 0xdfff && at > 1 ? (this.#text.codePointAt(at - 2) ?? unit) : unit;
  }

  /** Follows what takes no character; of two ways into a state the earlier start stays. */
  #enter(first: number, start: number, at: number, states: Map<number, number>): void {
    const stack = [first];
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      if (--this.#work < 0) {
        this.exhausted = true;
        return;
      }
      if ((states.get(state) ?? NONE) <= start) continue;
      states.set(state, start);
      const instruction = this.#program[state];
      if (instruction?.op === "split") stack.push(instruction.second, instruction.first);
      else if (instruction?.op === "assert" && holds(instruction.assertion, this.#before(at), this.#point(at))) {
        stack.push(state + 1);
      }
    }
  }
}
