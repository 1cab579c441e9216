/** What takes no character: followed from where the machine stands to where it waits for one. */
import { holds, NOTHING } from "./assertions.ts";
import { isWordCharacter } from "./character-set.ts";
import type { Instruction } from "./program.ts";

/** One character of each kind that assertions can tell apart. */
export const REPRESENTATIVES: readonly number[] = [NOTHING, 0x0a, 0x61, 0x2d];

/** An index into `REPRESENTATIVES`. */
export function kindOf(point: number): number {
  if (point === NOTHING) return 0;
  if (point === 0x0a) return 1;
  return isWordCharacter(point) ? 2 : 3;
}

/** Which instructions were visited: cleared by counting on. */
export class Visited {
  /** Over all rounds. */
  visits = 0;
  private readonly seen: Int32Array;
  private round = 0;

  constructor(count: number) {
    this.seen = new Int32Array(count);
  }

  begin(): void {
    this.round++;
  }

  /** False when it was visited in this round already. */
  add(index: number): boolean {
    if (this.seen[index] === this.round) return false;
    this.seen[index] = this.round;
    this.visits++;
    return true;
  }
}

/**
 * The instructions that wait for the next character; null for a match. `cores` are instructions; `before` and `after`
 * the characters around the place where the machine stands.
 */
export function closureOf(
  program: readonly Instruction[],
  cores: readonly number[],
  before: number,
  after: number,
  visited: Visited,
): readonly number[] | null {
  const waiting: number[] = [];
  const stack = [...cores];
  visited.begin();
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (!visited.add(index)) continue;
    const instruction = program[index];
    if (instruction?.op === "match") return null;
    if (instruction?.op === "split") stack.push(instruction.second, instruction.first);
    else if (instruction?.op === "set") waiting.push(index);
    else if (instruction !== undefined && holds(instruction.assertion, before, after)) stack.push(index + 1);
  }
  return waiting;
}
