/** Stepping through a run by keys: what each key does, and what is on the screen. */
import stringWidth from "fast-string-width";
import { wrapAnsi } from "fast-wrap-ansi";
import { printable } from "../output/printable.ts";
import { createStyle, type Style } from "../output/style.ts";
import { runHead, type SteppedRun, stepLine, TABS, tabLines } from "./step-lines.ts";

export interface StepperState {
  /** From 0. */
  readonly index: number;
  readonly tab: number;
  /** Lines above the first one that is shown. */
  readonly scroll: number;
  /** Digits that wait for `g`. */
  readonly typed: string;
  /** What is being typed to be searched; null: nothing. */
  readonly asked: string | null;
  /** What `n` and `N` look for. */
  readonly wanted: string;
  readonly help: boolean;
  /** For the foot of the screen. */
  readonly said: string;
  readonly quit: boolean;
}

export function startAt(index: number): StepperState {
  return { index, tab: 0, scroll: 0, typed: "", asked: null, wanted: "", help: false, said: "", quit: false };
}

const FOOT = "? help · q quit · ←/→ step · Tab tabs · ↑/↓ scroll · / search";

const HELP: readonly (readonly [keys: string, does: string])[] = [
  ["→ or j, ← or k", "the next step, the one before"],
  ["Home, End", "the first step, the last one"],
  ["12 g", "go to step 12"],
  ["Tab, Shift-Tab", TABS.join(", ")],
  ["↑, ↓, PgUp, PgDn", "scroll what the tab shows"],
  ["/ words Enter", "the next step in which they stand: its tool, rules, arguments, reasons, result"],
  ["n, N", "the next one, the one before"],
  ["?", "this, and back"],
  ["q", "quit"],
];

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
  "/": "search",
  n: "found-next",
  N: "found-back",
  "?": "help",
  q: "quit",
  ...{ "\u0003": "quit", "\u0004": "quit" },
};

const SEQUENCE = /\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[\s\S]/gu;

/** The keys in what a terminal has sent at once. */
export function keysOf(text: string): readonly string[] {
  return text.match(SEQUENCE) ?? [];
}

/** @param page Lines that a page of the tab has. */
export function afterKey(state: StepperState, key: string, run: SteppedRun, page: number): StepperState {
  if (state.asked !== null) return afterTyping(state, state.asked, key, run);
  if (/^[0-9]$/.test(key)) return { ...state, typed: `${state.typed}${key}`.slice(0, 9), said: "" };
  const idle = { ...state, typed: "", said: "" };
  const does = KEYS[key];
  if (state.help) return does === "quit" ? { ...idle, quit: true } : { ...idle, help: false };
  const at = (index: number): StepperState => moved(idle, index, run);
  const scrolled = (lines: number): StepperState => ({ ...idle, scroll: Math.max(0, state.scroll + lines) });
  switch (does) {
    case "next":
      return at(state.index + 1);
    case "back":
      return at(state.index - 1);
    case "first":
      return at(0);
    case "last":
      return at(run.steps.length - 1);
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
    case "search":
      return { ...idle, asked: "" };
    case "found-next":
      return found(idle, run, 1);
    case "found-back":
      return found(idle, run, -1);
    case "help":
      return { ...idle, help: true };
    case "quit":
      return { ...idle, quit: true };
    default:
      return idle;
  }
}

function moved(state: StepperState, index: number, { steps }: SteppedRun): StepperState {
  return { ...state, index: Math.max(0, Math.min(steps.length - 1, index)), scroll: 0 };
}

const MOST_ASKED = 200;

function afterTyping(state: StepperState, asked: string, key: string, run: SteppedRun): StepperState {
  switch (key) {
    case "\r":
    case "\n":
      return found({ ...state, asked: null, wanted: asked === "" ? state.wanted : asked }, run, 1);
    case "\u001b":
      return { ...state, asked: null };
    case "\u007f":
    case "\b":
      return { ...state, asked: [...asked].slice(0, -1).join("") };
    case "\u0003":
    case "\u0004":
      return { ...state, quit: true };
    default:
      return key.startsWith("\u001b") ? state : { ...state, asked: `${asked}${key}`.slice(0, MOST_ASKED) };
  }
}

const PLAIN = createStyle(false);
/** What is looked through: a prompt repeats what stands in other steps. */
const SEARCHED = ["Arguments", "Decision", "Result"] as const;

/** The next step, round the end, in which it stands; case does not count. */
function found(state: StepperState, run: SteppedRun, towards: 1 | -1): StepperState {
  const wanted = state.wanted.toLowerCase();
  if (wanted === "") return { ...state, said: "nothing is looked for: / asks" };
  const count = run.steps.length;
  for (let distance = 1; distance <= count; distance++) {
    const index = (state.index + towards * distance + count * 2) % count;
    const step = run.steps[index];
    if (step === undefined) continue;
    const isThere = (text: string): boolean => text.toLowerCase().includes(wanted);
    if (isThere(stepLine(step, run, PLAIN)) || SEARCHED.some((tab) => tabLines(step, tab, run, PLAIN).some(isThere))) {
      const said = index === state.index ? "nowhere else" : `found \`${state.wanted}\``;
      return { ...moved(state, index, run), said };
    }
  }
  return { ...state, said: `\`${state.wanted}\` stands in no step` };
}

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface Screen {
  /** Each fits the columns, colour codes aside. */
  readonly lines: readonly string[];
  /** How far the tab can be scrolled. */
  readonly most: number;
}

/** Makes screens of at most as many lines as there are rows: steps around the present one, then its tab. */
export function createScreens(run: SteppedRun, style: Style): (state: StepperState, size: Size) => Screen {
  // A tab of a megabyte is laid out once, however often one scrolls in it.
  let kept: { readonly key: string; readonly lines: readonly string[] } | undefined;
  const bodyOf = ({ index, tab, help }: StepperState, columns: number): readonly string[] => {
    const key = [index, tab, help, columns].join(" ");
    if (kept?.key !== key) kept = { key, lines: textOf(run, { index, tab, help }, style).flatMap(wrapping(columns)) };
    return kept.lines;
  };
  return (state, { rows, columns }) => {
    const { steps } = run;
    const body = bodyOf(state, columns);
    const around = Math.max(1, Math.min(7, Math.floor(rows / 4)));
    const from = Math.max(0, Math.min(steps.length - around, state.index - Math.floor(around / 2)));
    const list = steps
      .slice(from, from + around)
      .map((one, at) => `${from + at === state.index ? style.bold(">") : " "}${stepLine(one, run, style)}`);
    const head = [...runHead(run, style), "", ...list, "", tabsLine(state, style)];
    const room = Math.max(1, rows - head.length - 2);
    const most = Math.max(0, body.length - room);
    const scroll = Math.min(state.scroll, most);
    const foot = footText(state, steps.length, body.length - scroll - room);
    const lines = [...head.map((line) => cut(line, columns)), ...body.slice(scroll, scroll + room), ""];
    return { lines: [...lines.slice(0, rows - 1), style.dim(cut(foot, columns))], most };
  };
}

function textOf(run: SteppedRun, { index, tab, help }: Pick<StepperState, "index" | "tab" | "help">, style: Style) {
  if (help) return HELP.map(([keys, does]) => `${keys.padEnd(18)}  ${does}`);
  const step = run.steps[index];
  return step === undefined ? ["this run has no steps"] : tabLines(step, TABS[tab] ?? "Arguments", run, style);
}

function tabsLine({ tab, help }: StepperState, style: Style): string {
  if (help) return style.bold("[Keys]");
  return TABS.map((name, index) => (index === tab ? style.bold(`[${name}]`) : style.dim(` ${name} `))).join(" ");
}

function footText({ index, typed, asked, said }: StepperState, count: number, rest: number): string {
  if (asked !== null) return `/${printable(asked)}`;
  const more = rest > 0 ? `${rest} more lines  ` : "";
  const place = `${Math.min(index + 1, count)}/${count}${typed === "" ? "" : ` ${typed}`}`;
  return `${place}  ${said === "" ? "" : `${printable(said)}  `}${more}${FOOT}`;
}

/** Over several lines what does not fit on one; wide characters take two columns. */
function wrapping(columns: number): (line: string) => readonly string[] {
  return (line) =>
    stringWidth(line) <= columns ? [line] : wrapAnsi(line, columns, { hard: true, trim: false }).split("\n");
}

function cut(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  const [first = ""] = wrapAnsi(line, columns - 1, { hard: true, trim: false, wordWrap: false }).split("\n", 1);
  return `${first}…`;
}
