/**
 * The pattern's machine with its sets of states as states of their own, made as a text needs them: one look-up for each
 * character instead of a walk over all states.
 *
 * Everything that is made belongs to one run, so that the work for a text is the same whatever was matched before.
 */
import { NOTHING } from "./assertions.ts";
import type { CharacterSet } from "./character-set.ts";
import { closureOf, kindOf, REPRESENTATIVES, Visited } from "./closure.ts";
import type { Instruction } from "./program.ts";

/** A pattern that makes a new set at each character is better served by the machine itself. */
const MAX_STATES = 1_000;

interface State {
  /** Instructions that wait for the next character, and where what takes none has not been followed yet. */
  readonly cores: readonly number[];
  /** The kind of the character before. */
  readonly before: number;
  /** By class of character, made when first taken. */
  readonly next: (State | undefined)[];
}

const MATCHED: State = { cores: [], before: 0, next: [] };
const DEAD: State = { cores: [], before: 0, next: [] };

export class Automaton {
  private readonly program: readonly Instruction[];
  private readonly anchored: boolean;
  private readonly sets: readonly CharacterSet[];
  private readonly visited: Visited;
  private readonly states = new Map<string, State>();
  /** Class of each character that was seen; a class is a signature over all sets, and a kind. */
  private readonly classes = new Map<number, number>();
  private readonly ascii: Int32Array = new Int32Array(128).fill(-1);
  private readonly signatures = new Map<string, number>();

  constructor(program: readonly Instruction[], anchored: boolean) {
    this.program = program;
    this.visited = new Visited(program.length);
    this.anchored = anchored;
    this.sets = [...new Set(program.flatMap((instruction) => (instruction.op === "set" ? [instruction.set] : [])))];
  }

  /** Visits of a state or set so far. */
  get visits(): number {
    return this.visited.visits;
  }

  /** Does it match anywhere in the text? Null when that takes more than `work` visits, undefined for too many sets of states. */
  run(text: string, work: number): boolean | null | undefined {
    let state = this.state([0], 0);
    for (let at = 0; at < text.length; ) {
      const unit = text.charCodeAt(at);
      const point = unit >= 0xd800 && unit <= 0xdfff ? (text.codePointAt(at) ?? 0) : unit;
      at += point > 0xffff ? 2 : 1;
      const group = (point < 128 ? this.ascii[point] : this.classes.get(point)) ?? -1;
      const known = group < 0 ? this.classify(point) : group;
      state = state.next[known] ?? this.step(state, known, point);
      if (state === MATCHED) return true;
      if (state === DEAD) return false;
      if (++this.visited.visits > work) return null;
      if (this.states.size > MAX_STATES) return undefined;
    }
    this.visited.visits++;
    return this.follow(state, NOTHING) === null;
  }

  /** Characters that no set and no assertion tells apart share a class. */
  private classify(point: number): number {
    this.visited.visits += this.sets.length;
    const bits = this.sets.map((set) => (set.has(point) ? "1" : "0")).join("");
    const signature = `${kindOf(point)}${bits}`;
    const known = this.signatures.get(signature) ?? this.signatures.size;
    this.signatures.set(signature, known);
    if (point < 128) this.ascii[point] = known;
    else this.classes.set(point, known);
    return known;
  }

  private step(state: State, group: number, point: number): State {
    const waiting = this.follow(state, point);
    const next = waiting === null ? MATCHED : this.after(waiting, point);
    state.next[group] = next;
    return next;
  }

  private after(waiting: readonly number[], point: number): State {
    const cores: number[] = [];
    for (const index of waiting) {
      const instruction = this.program[index];
      if (instruction?.op === "set" && instruction.set.has(point)) cores.push(index + 1);
    }
    // A match may begin at every position.
    if (!this.anchored) cores.push(0);
    return cores.length === 0
      ? DEAD
      : this.state(
          [...new Set(cores)].sort((a, b) => a - b),
          kindOf(point),
        );
  }

  private state(cores: readonly number[], before: number): State {
    const key = `${before}:${cores.join()}`;
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const made: State = { cores, before, next: [] };
    this.states.set(key, made);
    return made;
  }

  /** Where the machine waits once all that takes no character is followed before `point`; null for a match. */
  private follow(state: State, point: number): readonly number[] | null {
    const before = REPRESENTATIVES[state.before] ?? NOTHING;
    return closureOf(this.program, state.cores, before, point, this.visited);
  }
}
