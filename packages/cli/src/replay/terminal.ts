/** The stepper on a terminal: its own screen, raw keys, and everything put back at the end. */
import type { Readable } from "node:stream";
import type { Io } from "../io.ts";
import type { SteppedRun } from "./step-lines.ts";
import { afterKey, createScreens, keysOf, type Size, startAt } from "./stepper.ts";

/** A screen of its own, no cursor, and nothing that is too wide for a line moves to the next. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H\u001b[2J";
/** What ends the process from outside; Ctrl-C is a key. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Resolves when the person quits, or when there is no more input. @param first Index of the step that is shown first. */
export async function stepThrough(io: Io, run: SteppedRun, first: number): Promise<void> {
  const { stdin, stdout } = io;
  const raw = rawMode(stdin);
  const screen = createScreens(run, io.style);
  let state = startAt(first);
  const draw = (): void => {
    const { lines, most } = screen(state, sizeOf(stdout));
    state = { ...state, scroll: Math.min(state.scroll, most) };
    stdout.write(`${HOME}${lines.join("\r\n")}`);
  };
  const leave = (): void => {
    stdout.off("resize", draw);
    raw(false);
    stdout.write(LEAVE);
  };
  const ended = (signal: NodeJS.Signals): void => {
    leave();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, ended);
  stdout.write(ENTER);
  stdout.on("resize", draw);
  raw(true);
  try {
    draw();
    for await (const chunk of stdin) {
      for (const key of keysOf(String(chunk))) {
        state = afterKey(state, key, run, Math.max(1, sizeOf(stdout).rows - 14));
        if (state.quit) return;
      }
      draw();
    }
  } finally {
    for (const signal of SIGNALS) process.off(signal, ended);
    leave();
  }
}

function rawMode(stream: Readable): (on: boolean) => void {
  const set: unknown = Reflect.get(stream, "setRawMode");
  return (on) => void (typeof set === "function" && Reflect.apply(set, stream, [on]));
}

function sizeOf(stream: object): Size {
  const side = (name: "rows" | "columns", otherwise: number): number => {
    const size: unknown = Reflect.get(stream, name);
    return typeof size === "number" && size > 0 ? size : otherwise;
  };
  return { rows: side("rows", 24), columns: side("columns", 80) };
}
