/** The stepper on a terminal: its own screen, raw keys, and everything put back at the end. */
import type { Readable } from "node:stream";
import type { Io } from "../io.ts";
import type { SteppedRun } from "./step-lines.ts";
import { afterKey, keysOf, type StepperState, screenOf } from "./stepper.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H\u001b[2J";

/** Resolves when the person quits, or when there is no more input. @param first Index of the step that is shown first. */
export async function stepThrough(io: Io, run: SteppedRun, first: number): Promise<void> {
  const { stdin, stdout } = io;
  const raw = rawMode(stdin);
  let state: StepperState = { index: first, tab: 0, scroll: 0, typed: "", quit: false };
  const draw = (): void => {
    const { lines, most } = screenOf(run, state, sizeOf(stdout, "rows", 24), io.style);
    state = { ...state, scroll: Math.min(state.scroll, most) };
    const columns = sizeOf(stdout, "columns", 80);
    stdout.write(`${HOME}${lines.map((line) => cut(line, columns)).join("\r\n")}`);
  };
  stdout.write(ENTER);
  raw(true);
  try {
    draw();
    for await (const chunk of stdin) {
      for (const key of keysOf(String(chunk))) {
        const page = Math.max(1, sizeOf(stdout, "rows", 24) - 14);
        state = afterKey(state, key, run.steps.length, page);
        if (state.quit) return;
      }
      draw();
    }
  } finally {
    raw(false);
    stdout.write(LEAVE);
  }
}

function rawMode(stream: Readable): (on: boolean) => void {
  const set: unknown = Reflect.get(stream, "setRawMode");
  return (on) => void (typeof set === "function" && Reflect.apply(set, stream, [on]));
}

function sizeOf(stream: object, side: "rows" | "columns", otherwise: number): number {
  const size: unknown = Reflect.get(stream, side);
  return typeof size === "number" && size > 0 ? size : otherwise;
}

/** To the width of the screen; colour codes have none. */
function cut(line: string, columns: number): string {
  let width = 0;
  let text = "";
  for (const [piece] of line.matchAll(/\u001b\[[0-9;]*m|[\s\S]/gu)) {
    if (piece.length > 1 && piece.startsWith("\u001b")) text += piece;
    else if (++width <= columns) text += piece;
  }
  return text;
}
