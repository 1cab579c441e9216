/** A whole run, told step by step: what was asked, what was decided, what came of it. */
import {
  type AmountsIn,
  type Content,
  changedPaths,
  contentAt,
  type Json,
  type ModelStep,
  roleOf,
  type Spoken,
  shownValue,
  spokenIn,
  stepAmounts,
  type ToolStep,
  type TreeStep,
} from "@saferun/core";
import { differenceLines } from "../approvals/view.ts";
import { counted } from "../output/counted.ts";
import { printable, short } from "../output/printable.ts";
import type { Style } from "../output/style.ts";
import { foldedLeaf, leaf, type TreeFold } from "../output/tree.ts";
import { contentLines, maskLines } from "./content-lines.ts";
import { innerRunLines, runHead, type SteppedRun, stateText, stepName } from "./step-lines.ts";

export interface StoryOptions {
  /** Nothing is folded, and messages that repeat what is told already are shown as well. */
  readonly full: boolean;
}

/** Of a list or map, and of a text. */
const FOLDED: TreeFold = { items: 10, width: 500, hint: "`--full` shows all" };

/** How one step is told. */
interface Telling {
  readonly run: SteppedRun;
  readonly style: Style;
  readonly fold: TreeFold | undefined;
  readonly indent: string;
}

export function storyLines(run: SteppedRun, style: Style, { full }: StoryOptions): string[] {
  const fold = full ? undefined : FOLDED;
  return [
    ...runHead(run, style),
    ...statedLines({ run, style, fold, indent: "" }),
    ...run.steps.flatMap((step) => {
      const indent = " ".repeat(6 + 2 * (run.depths.get(step.number) ?? 0));
      return ["", ...stepStory(step, { run, style, fold, indent })];
    }),
    ...innerRunLines(run.tree.runs, ""),
  ];
}

/** For whom the run was, and what it was asked. */
function statedLines(telling: Telling): string[] {
  const { tree } = telling.run;
  const principal = shownValue(contentAt(tree.principal, "id"));
  const kind = shownValue(contentAt(tree.principal, "kind"));
  const named = typeof principal === "string" && principal !== "";
  const context = shownValue(tree.context);
  const isEmpty = typeof context === "object" && context !== null && Object.keys(context).length === 0;
  return [
    ...(named ? [`for ${printable(principal)}${typeof kind === "string" ? ` (${printable(kind)})` : ""}`] : []),
    ...(tree.context === null || isEmpty ? [] : labelled("context", tree.context, telling)),
    ...(tree.prompt === null ? [] : askedFor(tree.prompt, telling)),
  ];
}

/** The person's own words, one text a line. */
function askedFor(prompt: Content, telling: Telling): string[] {
  const texts = shownValue(prompt);
  if (!Array.isArray(texts) || texts.length === 0) return labelled("asked", prompt, telling);
  const masked = prompt.state === "present" ? prompt.masked : [];
  const lines = texts.map((text: Json) => `${telling.style.dim("asked")}  ${leafIn(text, telling)}`);
  return [...lines, ...maskLines(masked, "")];
}

function leafIn(value: Json, { fold }: Telling): string {
  return fold === undefined ? leaf(value) : foldedLeaf(value, fold);
}

function stepStory(step: TreeStep, telling: Telling): string[] {
  const { run, style, indent } = telling;
  const name = stepName(step, run, style);
  switch (step.kind) {
    case "call":
      return [
        `${name}  ${style.dim(printable(step.call))}`,
        `${indent}${stateText(step, style)}`,
        ...callStory(step, telling),
      ];
    case "model":
      return [name, `${indent}${stateText(step, style)}`, ...modelStory(step, telling)];
    case "event":
      return [name, ...step.parts.flatMap(({ name, content }) => labelled(printable(name), content, telling))];
  }
}

function callStory(step: ToolStep, telling: Telling): string[] {
  const { style, indent } = telling;
  const { proposed, approved, ran } = step.arguments;
  const last = step.decisions.at(-1);
  const reason = last === undefined || last.verdict === "allow" ? null : last.reason;
  const [from, to] = [shownValue(proposed), shownValue(ran)];
  const isChanged = from !== undefined && to !== undefined && changedPaths(from, to).length > 0;
  const answer = step.result ?? step.error;
  const amountsIn = stepAmounts(step);
  const notes = shownValue(contentAt(step.note, "notes"));
  return [
    ...(reason === null ? [] : [`${indent}${style.dim(printable(reason))}`]),
    ...labelled("arguments", proposed, telling, amountsIn),
    ...(isChanged
      ? [
          `${indent}${style.dim(approved === null ? "changed by the policies" : "changed by the approver")}`,
          ...differenceLines(from, to, style, amountsIn).map((line) => `${indent}${line}`),
        ]
      : []),
    ...(answer === null ? [] : labelled(step.result === null ? "error" : "result", answer, telling)),
    ...(Array.isArray(notes) && notes.length > 0
      ? labelled("told beside it", contentAt(step.note, "notes"), telling)
      : []),
    ...(step.lost ? [`${indent}its process ended while it ran: nobody knows whether the tool has acted`] : []),
    ...innerRunLines(step.runs, indent),
  ];
}

function modelStory(step: ModelStep, telling: Telling): string[] {
  const { indent, style } = telling;
  const reason = step.decision?.reason ?? null;
  return [
    ...(reason === null ? [] : [`${indent}${style.dim(printable(reason))}`]),
    ...askedLines(step, telling),
    ...(step.response === null ? [] : spokenLines("", step.response, telling)),
    ...(step.cutOff === null ? [] : [`${indent}(cut off: ${printable(step.cutOff)})`]),
    ...(step.error === null ? [] : labelled("error", step.error, telling)),
  ];
}

/** Said by a model or a tool: it stands in the steps before. */
const REPEATED: readonly (string | null)[] = ["assistant", "tool"];

/** What is new in the prompt. */
function askedLines({ prompt }: ModelStep, telling: Telling): string[] {
  const { run, style, fold, indent } = telling;
  if (prompt === null) return [];
  const added = prompt.added.map((place) => (place === null ? null : (run.tree.contents[place] ?? null)));
  const roleIn = (message: Content | null) => roleOf(shownValue(message) ?? null);
  const told = added.filter((message) => fold === undefined || !REPEATED.includes(roleIn(message)));
  const rest = added.length - told.length;
  return [
    ...told.flatMap((message) =>
      message === null
        ? [`${indent}(a message that is not in the log)`]
        : spokenLines(roleIn(message) ?? "message", message, telling),
    ),
    ...(rest === 0 ? [] : [`${indent}${style.dim(`goes on with ${counted(rest, "message")} of the steps before`)}`]),
  ];
}

/** What a message says; an answer has no role. */
function spokenLines(role: string, message: Content, telling: Telling): string[] {
  const { style, indent } = telling;
  const value = shownValue(message);
  const said = value === undefined ? null : spokenIn(value);
  if (said === null) return labelled(role === "" ? "answer" : printable(role), message, telling);
  const lines = said.map((piece) => {
    const label = [printable(role), LABELS[piece.kind]].filter((word) => word !== "").join(" ");
    return `${indent}${style.dim(label === "" ? "says" : label)}  ${pieceText(piece, telling)}`;
  });
  const masked = message.state === "present" ? message.masked : [];
  return [...lines, ...maskLines(masked, indent)];
}

const LABELS: Readonly<Record<Spoken["kind"], string>> = {
  text: "",
  reasoning: "thinks",
  call: "calls",
  result: "got",
  other: "",
};

/** Of a call that a model asks for, and of what it is told: the call's own step has it whole. */
const MENTIONED = 120;

function pieceText(piece: Spoken, telling: Telling): string {
  switch (piece.kind) {
    case "text":
    case "reasoning":
      return leafIn(piece.text, telling);
    case "call":
    case "result": {
      const value = leaf(piece.value);
      return `${printable(piece.tool)} ${telling.fold === undefined ? value : short(value, MENTIONED)}`;
    }
    case "other":
      return leafIn(piece.value, telling);
  }
}

/** On one line what fits there. */
function labelled(
  label: string,
  content: Content | null,
  { style, fold, indent }: Telling,
  amountsIn?: AmountsIn,
): string[] {
  const given = { ...(fold === undefined ? {} : { fold }), ...(amountsIn === undefined ? {} : { amountsIn }) };
  const lines = contentLines(content, { indent: `${indent}  `, ...given });
  const [only, ...more] = lines;
  const isRemark = only?.trimStart().startsWith("(") === true;
  if (only === undefined || more.length > 0 || (isField(content) && !isRemark))
    return [`${indent}${style.dim(label)}`, ...lines];
  return [`${indent}${style.dim(label)}  ${only.trimStart()}`];
}

/** A map with one key: its line is no value. */
function isField(content: Content | null): boolean {
  const value: Json | undefined = shownValue(content);
  return typeof value === "object" && value !== null && Object.keys(value).length > 0 && !Array.isArray(value);
}
