/** Runs as text for a terminal. */
import { changedPaths, type Json, type RunSummary } from "@saferun/core";
import { differenceLines } from "../approvals/view.ts";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import { moment, span } from "../output/time.ts";
import { leaf, treeLines } from "../output/tree.ts";
import type { CallStep, OtherStep, RunStep } from "./steps.ts";

export function runListLines(runs: readonly RunSummary[], style: Style): string[] {
  const rows = runs.map((run) => [
    printable(run.id),
    moment(run.startedAt),
    span(run.lastAt - run.startedAt),
    short(run.agent, 32),
    short(run.environment, 16),
    String(run.entries),
  ]);
  return table([["RUN", "STARTED", "LASTED", "AGENT", "ENVIRONMENT", "ENTRIES"].map(style.dim), ...rows]);
}

export interface RunView {
  /** Nothing is folded. */
  readonly full: boolean;
}

export function runLines(
  run: RunSummary,
  steps: readonly RunStep[],
  style: Style,
  view: RunView = { full: false },
): string[] {
  const calls = steps.filter((step) => step.kind === "call").length;
  return [
    `${style.bold(printable(run.id))}  agent ${printable(run.agent)} in ${printable(run.environment)}`,
    style.dim(`${moment(run.startedAt)}, ${calls} ${calls === 1 ? "call" : "calls"}, ${run.entries} log entries`),
    ...steps.flatMap((step, index) => ["", ...stepLines(step, index + 1, run.startedAt, style, view)]),
  ];
}

function stepLines(step: RunStep, number: number, start: number, style: Style, view: RunView): string[] {
  const clock = style.dim(`+${span(step.at - start)}`);
  const head = (title: string) => `${style.dim(`${number}.`)} ${title}  ${clock}`;
  return step.kind === "call" ? callLines(step, head, style, view) : [head(step.type), ...otherLines(step)];
}

/** Of a list or map, and of a text. */
const FOLDED = { items: 10, width: 500, hint: "`--full` shows all" } as const;

function callLines(step: CallStep, head: (title: string) => string, style: Style, { full }: RunView): string[] {
  const { bold, dim } = style;
  const lines = [`${head(bold(printable(step.tool)))}  ${dim(printable(step.call))}`, `   ${stages(step, style)}`];
  if (step.reason !== null && step.verdict !== "allow") lines.push(`   ${dim(printable(step.reason))}`);
  lines.push(`   ${dim("arguments")}`, ...treeLines(step.args, { indent: "     ", ...(full ? {} : { fold: FOLDED }) }));
  if (step.ran !== null && changedPaths(step.args, step.ran).length > 0) {
    lines.push(
      `   ${dim(step.edited ? "changed by the approver" : "changed by the policies")}`,
      ...differenceLines(step.args, step.ran, style).map((line) => `   ${line}`),
    );
  }
  if (step.outcome !== null) lines.push(`   ${dim("result")}  ${resultText(step.result)}`);
  return lines;
}

/** `pause (refund-large) → approved by local:ann after 12 s → succeeded in 40 ms`. */
function stages(step: CallStep, style: Style): string {
  const stages = [`${tone(style, step.verdict ?? "proposed")}${style.dim(rulesText(step.rules))}`];
  if (step.approval !== null) {
    const waited = step.waitedMs === null ? "" : ` after ${span(step.waitedMs)}`;
    stages.push(`${tone(style, step.approval.answer ?? "waiting")}${byText(step.approval.by)}${waited}`);
    const last = step.decisions.at(-1);
    if (last !== undefined && step.decisions.length > 1 && last.verdict === "deny")
      stages.push(`${tone(style, "denied")}${style.dim(rulesText(last.rules))}`);
  }
  if (step.outcome !== null) {
    const took = step.executedMs === null ? "" : ` in ${span(step.executedMs)}`;
    stages.push(`${tone(style, step.outcome)}${took}`);
  } else if (step.ran !== null) stages.push(tone(style, "executing"));
  return stages.join(" → ");
}

function rulesText(rules: readonly string[]): string {
  return rules.length === 0 ? "" : ` (${rules.map(printable).join(", ")})`;
}

function byText(by: Json): string {
  if (typeof by !== "object" || by === null || Array.isArray(by) || !("id" in by)) return "";
  return ` by ${printable(String(by.id))}${by.verified === true ? "" : ", not verified"}`;
}

const RESULT_WIDTH = 200;

function resultText(result: Json): string {
  return short(leaf(result), RESULT_WIDTH);
}

function otherLines(step: OtherStep): string[] {
  const { parts } = step.content;
  if (typeof parts !== "object" || parts === null || Array.isArray(parts)) return [];
  return Object.entries(parts).map(([name, value]) => `   ${printable(name)}  ${short(leaf(value), RESULT_WIDTH)}`);
}
