/** Running a pattern: time grows with text × states, whatever both are. */
import { holds, NOTHING } from "./assertions.ts";
import { Automaton } from "./automaton.ts";
import { parsePattern } from "./parse.ts";
import { buildProgram, type Instruction } from "./program.ts";
import { type PatternIssue, PatternProblem } from "./syntax.ts";
import { buildTable, runTable } from "./table.ts";

export type { PatternIssue } from "./syntax.ts";

/** A pattern that was read. */
export interface Pattern {
  readonly program: readonly Instruction[];
  /** True where a match can only begin at the start of the text. */
  readonly anchored: boolean;
}

export type CompiledPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly issue: PatternIssue };

/** Total: RE2 syntax → a pattern, or where and why it is none. */
export function compilePattern(text: string): CompiledPattern {
  try {
    const program = buildProgram(parsePattern(text));
    const [first] = program;
    const anchored = first?.op === "assert" && first.assertion === "text-start";
    return { ok: true, pattern: { program, anchored } };
  } catch (problem) {
    if (problem instanceof PatternProblem) return { ok: false, issue: problem.issue };
    throw problem;
  }
}

/** The states that the machine is in: a list without doubles, each entered once per position. */
class States {
  readonly list: Int32Array;
  size = 0;
  /** States entered, also those that take no character. */
  visits = 0;
  private readonly seen: Int32Array;
  private round = 0;

  constructor(count: number) {
    this.list = new Int32Array(count);
    this.seen = new Int32Array(count);
  }

  clear(): void {
    this.size = 0;
    this.visits = 0;
    this.round++;
  }

  /** False when it is there already. */
  visit(state: number): boolean {
    if (this.seen[state] === this.round) return false;
    this.seen[state] = this.round;
    this.visits++;
    return true;
  }
}

/** Shorter texts are done before sets of states would have been made. */
const SHORT_TEXT = 128;

type Spent = (visits: number) => void;

/**
 * Does the pattern match anywhere in the text? Null when that takes more than `work` visits of a state.
 * `spent` is told how many there were, which never depends on what was matched before.
 */
export type Matcher = (text: string, work: number, spent: Spent) => boolean | null;

/** Takes a pattern into use: its table is made here, once. */
export function createMatcher(pattern: Pattern): Matcher {
  const table = buildTable(pattern.program, pattern.anchored);
  if (table === null) return (text, work, spent) => walk(pattern, text, work, spent);
  return (text, work, spent) => {
    let visits = 0;
    const matched = runTable(table, text, work, (count) => {
      visits = count;
    });
    if (matched === undefined) return walk(pattern, text, work - visits, (more) => spent(visits + more));
    spent(visits);
    return matched;
  };
}

/** Without a table. */
function walk(pattern: Pattern, text: string, work: number, spent: Spent): boolean | null {
  return text.length <= SHORT_TEXT ? simulate(pattern, text, work, spent) : automate(pattern, text, work, spent);
}

function automate(pattern: Pattern, text: string, work: number, spent: Spent): boolean | null {
  const automaton = new Automaton(pattern.program, pattern.anchored);
  const matched = automaton.run(text, work);
  const { visits } = automaton;
  if (matched === undefined) return simulate(pattern, text, work - visits, (more) => spent(visits + more));
  spent(visits);
  return matched;
}

/** All states at once, character by character. */
export function simulate({ program, anchored }: Pattern, text: string, work: number, spent: Spent): boolean | null {
  let current = new States(program.length);
  let next = new States(program.length);
  current.clear();
  let visits = 0;
  let before = NOTHING;
  for (let at = 0; ; ) {
    const point = at < text.length ? (text.codePointAt(at) ?? NOTHING) : NOTHING;
    // A match may begin at every position.
    if (at === 0 || !anchored) {
      if (enter(program, 0, current, before, point)) {
        spent(visits);
        return true;
      }
    }
    visits += current.visits + 1;
    if (point === NOTHING || (anchored && current.size === 0) || visits > work) {
      spent(visits);
      return visits > work ? null : false;
    }
    at += point > 0xffff ? 2 : 1;
    const following = at < text.length ? (text.codePointAt(at) ?? NOTHING) : NOTHING;
    next.clear();
    for (let index = 0; index < current.size; index++) {
      const state = current.list[index] ?? 0;
      const instruction = program[state];
      if (instruction?.op !== "set" || !instruction.set.has(point)) continue;
      if (enter(program, state + 1, next, point, following)) {
        spent(visits);
        return true;
      }
    }
    [current, next] = [next, current];
    before = point;
  }
}

/** Follows what takes no character. True when that leads to a match. */
function enter(program: readonly Instruction[], start: number, states: States, before: number, after: number): boolean {
  const stack = [start];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    if (!states.visit(state)) continue;
    const instruction = program[state];
    switch (instruction?.op) {
      case "match":
        return true;
      case "split":
        stack.push(instruction.second, instruction.first);
        break;
      case "assert":
        if (holds(instruction.assertion, before, after)) stack.push(state + 1);
        break;
      default:
        states.list[states.size++] = state;
    }
  }
  return false;
}
