/** Tree → instructions of a machine that is in many states at once (Thompson), bounded in size. */
import type { CharacterSet } from "./character-set.ts";
import { type Assertion, type PatternNode, PatternProblem } from "./syntax.ts";

export type Instruction =
  | { readonly op: "set"; readonly set: CharacterSet }
  | { readonly op: "assert"; readonly assertion: Assertion }
  /** Goes on at both places, which are set while the program is built. */
  | { readonly op: "split"; first: number; second: number }
  | { readonly op: "match" };

/** Counted repetitions are written out, so that this bounds `(a{1000}){1000}` too. */
const MAX_INSTRUCTIONS = 10_000;

/** @throws PatternProblem when the pattern is too large. */
export function buildProgram(pattern: PatternNode): readonly Instruction[] {
  const program = new Program();
  emit(pattern, program);
  program.push({ op: "match" });
  return program.instructions;
}

class Program {
  readonly instructions: Instruction[] = [];
  /** Nodes written out: a repetition of nothing makes no instruction and could be repeated for ever. */
  nodes = 0;

  get length(): number {
    return this.instructions.length;
  }

  push(instruction: Instruction): void {
    this.instructions.push(instruction);
  }
}

function emit(node: PatternNode, program: Program): void {
  if (program.length > MAX_INSTRUCTIONS || ++program.nodes > 4 * MAX_INSTRUCTIONS) {
    throw new PatternProblem(0, `a pattern of more than ${MAX_INSTRUCTIONS} states: use smaller counts in \`{…}\``);
  }
  switch (node.kind) {
    case "empty":
      return;
    case "set":
      program.push({ op: "set", set: node.set });
      return;
    case "assertion":
      program.push({ op: "assert", assertion: node.assertion });
      return;
    case "sequence":
      for (const part of node.parts) emit(part, program);
      return;
    case "alternatives":
      emitAlternatives(node.parts, program);
      return;
    case "repeat":
      emitRepeat(node, program);
  }
}

function split(program: Program): { first: number; second: number } {
  const at = program.length + 1;
  const instruction = { op: "split" as const, first: at, second: at };
  program.push(instruction);
  return instruction;
}

function emitAlternatives(parts: readonly PatternNode[], program: Program): void {
  const ends: { first: number; second: number }[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) {
      emit(part, program);
      break;
    }
    const branch = split(program);
    emit(part, program);
    ends.push(split(program));
    branch.second = program.length;
  }
  for (const end of ends) {
    end.first = program.length;
    end.second = program.length;
  }
}

function emitRepeat({ part, min, max }: Extract<PatternNode, { kind: "repeat" }>, program: Program): void {
  for (let count = 0; count < min; count++) emit(part, program);
  if (max === null) {
    const start = program.length;
    const loop = split(program);
    emit(part, program);
    const back = split(program);
    back.first = start;
    back.second = start;
    loop.second = program.length;
    return;
  }
  const exits: { second: number }[] = [];
  for (let count = min; count < max; count++) {
    exits.push(split(program));
    emit(part, program);
  }
  for (const exit of exits) exit.second = program.length;
}
