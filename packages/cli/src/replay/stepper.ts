/** Stepping through a run by keys: what each key does, and what is on the screen. Pure. */
import { printable } from "../output/printable.ts";
import type { Style } from "../output/style.ts";
import { runHead, type SteppedRun, stepLine, TABS, tabLines } from "./step-lines.ts";

export interface StepperState {
  /** From 0. */
  readonly index: number;
  readonly tab: number;
  /** Lines above the first one that is shown. */
  readonly scroll: number;
  /** Digits that wait for `g`. */
  readonly typed: string;
  readonly quit: boolean;
}

const STEPPER_HELP = "←/→ or j/k step · Home/End · number g go to · Tab tabs · ↑/↓ scroll · q quit";

/** Keys by what terminals send for them; with and without application mode. */
const KEYS: Readonly<Record<string, string>> = {
  "\u001b[C": "next",
  "\u001bOC": "next",
  j: "next",
  "\u001b[D": "back",
  "\u001bOD": "back",
  k: "back",
  "\u001b[H": "first",
  "\u001bOH": "first",
  "\u001b[1~": "first",
  "\u001b[7~": "first",
  "\u001b[F": "last",
  "\u001bOF": "last",
  "\u001b[4~": "last",
  "\u001b[8~": "last",
  "\t": "tab",
  "\u001b[Z": "untab",
  "\u001b[A": "up",
  "\u001b[B": "down",
  "\u001bOA": "up",
  "\u001bOB": "down",
  "\u001b[5~": "page-up",
  "\u001b[6~": "page-down",
  g: "go",
  q: "quit",
  "\u0003": "quit",
  "\u0004": "quit",
};

const SEQUENCE = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[\s\S]/gu;

/** The keys in what a terminal has sent at once. */
export function keysOf(text: string): readonly string[] {
  return text.match(SEQUENCE) ?? [];
}

/** @param page Lines of a tab that are shown at once. */
export function afterKey(state: StepperState, key: string, count: number, page: number): StepperState {
  if (/^[0-9]$/.test(key)) return { ...state, typed: `${state.typed}${key}`.slice(0, 9) };
  const idle = { ...state, typed: "" };
  const at = (index: number): StepperState => ({ ...idle, index: Math.max(0, Math.min(count - 1, index)), scroll: 0 });
  const scrolled = (lines: number): StepperState => ({ ...idle, scroll: Math.max(0, state.scroll + lines) });
  switch (KEYS[key]) {
    case "next":
      return at(state.index + 1);
    case "back":
      return at(state.index - 1);
    case "first":
      return at(0);
    case "last":
      return at(count - 1);
    case "go":
      return state.typed === "" ? idle : at(Number(state.typed) - 1);
    case "tab":
      return { ...idle, tab: (state.tab + 1) % TABS.length, scroll: 0 };
    case "untab":
      return { ...idle, tab: (state.tab + TABS.length - 1) % TABS.length, scroll: 0 };
    case "up":
      return scrolled(-1);
    case "down":
      return scrolled(1);
    case "page-up":
      return scrolled(-page);
    case "page-down":
      return scrolled(page);
    case "quit":
      return { ...idle, quit: true };
    default:
      return idle;
  }
}

export interface Screen {
  readonly lines: readonly string[];
  /** How far the tab can be scrolled. */
  readonly most: number;
}

/** Lines of a screen of this height; never more. Steps around the present one, then its tab. */
export function screenOf(run: SteppedRun, state: StepperState, rows: number, style: Style): Screen {
  const { steps } = run;
  const step = steps[state.index];
  const around = Math.max(1, Math.min(7, Math.floor(rows / 4)));
  const from = Math.max(0, Math.min(steps.length - around, state.index - Math.floor(around / 2)));
  const list = steps
    .slice(from, from + around)
    .map((one) => `${one === step ? style.bold(">") : " "}${stepLine(one, run, style)}`);
  const tabs = TABS.map((tab, index) => (index === state.tab ? style.bold(`[${tab}]`) : style.dim(` ${tab} `))).join(
    " ",
  );
  const body =
    step === undefined ? ["this run has no steps"] : tabLines(step, TABS[state.tab] ?? "Arguments", run, style);
  const head = [...runHead(run, style), "", ...list, "", tabs];
  const room = Math.max(1, rows - head.length - 2);
  const most = Math.max(0, body.length - room);
  const scroll = Math.min(state.scroll, most);
  const rest = body.length - scroll - room;
  const foot = `${state.index + 1}/${steps.length}${state.typed === "" ? "" : ` ${printable(state.typed)}`}  ${STEPPER_HELP}${rest > 0 ? `  (${rest} more lines)` : ""}`;
  return { lines: [...head, ...body.slice(scroll, scroll + room), "", style.dim(foot)], most };
}
