/** One step of a run as text, in the tabs that people look at it by. */
import {
  allSteps,
  type CallDecision,
  type Content,
  changedPaths,
  dollarsText,
  lengthOf,
  type ModelStep,
  promptMessages,
  type RunTree,
  roleOf,
  shownValue,
  spanText,
  stepAmounts,
  type ToolStep,
  type TreeStep,
  toWire,
} from "@saferun/core";
import { differenceLines } from "../approvals/view.ts";
import { counted } from "../output/counted.ts";
import { printable, printableJson, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { moment } from "../output/time.ts";
import { contentLines } from "./content-lines.ts";

export const TABS = ["Arguments", "Decision", "Result", "Prompt", "Raw"] as const;
export type Tab = (typeof TABS)[number];

/** A run whose steps are looked up by their number. */
export interface SteppedRun {
  readonly tree: RunTree;
  readonly steps: readonly TreeStep[];
  readonly models: ReadonlyMap<number, ModelStep>;
  /** How many calls there are around a step, by its number; of a step in no call there is nothing. */
  readonly depths: ReadonlyMap<number, number>;
  /** Of the longest time since the run's start. */
  readonly clockWidth: number;
}

export function stepped(tree: RunTree): SteppedRun {
  const steps = allSteps(tree.steps);
  const models = steps.flatMap((step) => (step.kind === "model" ? [[step.number, step] as const] : []));
  const [depths, calls] = [new Map<number, number>(), new Map<string, number>()];
  let clockWidth = 0;
  for (const step of steps) {
    const depth = step.within === null ? 0 : (calls.get(step.within) ?? -1) + 1;
    if (depth > 0) depths.set(step.number, depth);
    if (step.kind === "call") calls.set(step.call, depth);
    clockWidth = Math.max(clockWidth, clockOf(step, tree).length);
  }
  return { tree, steps, models: new Map(models), depths, clockWidth };
}

function clockOf(step: TreeStep, tree: RunTree): string {
  return `+${spanText(step.at - tree.startedAt)}`;
}

export function runHead({ tree, steps }: SteppedRun, style: Style): string[] {
  const { totals } = tree;
  const counts = `${counted(totals.calls, "call")}, ${totals.denied} refused, ${counted(totals.models, "model turn")}`;
  const cost = `${totals.inputTokens} + ${totals.outputTokens} tokens, ${dollarsText(totals.usdMicros)}${totals.estimated ? " (in part estimated)" : ""}`;
  const unpriced = totals.unpriced > 0 ? `, ${totals.unpriced} without a price` : "";
  const times = `evaluated ${spanText(totals.evaluateMs)}, waited ${spanText(totals.waitMs)}, executed ${spanText(totals.executeMs)}, models ${spanText(totals.modelMs)}`;
  return [
    `${style.bold(printable(tree.run))}  agent ${printable(tree.agent ?? "unknown")} in ${printable(tree.environment ?? "unknown")}`,
    style.dim(
      `${moment(tree.startedAt)}, ${spanText(tree.lastAt - tree.startedAt)}, ${counted(steps.length, "step")}: ${counts}`,
    ),
    style.dim(`${cost}${unpriced}; ${times}`),
    ...tree.gaps.map(({ from, to }) => style.bad(`entries ${from} to ${to} of this run are not in the log`)),
  ];
}

/** `   3.  +12 s  refund  pause → approved → succeeded in 40 ms`. */
export function stepLine(step: TreeStep, run: SteppedRun, style: Style): string {
  const state = stateText(step, style);
  return `${stepName(step, run, style)}${state === "" ? "" : `  ${state}`}`;
}

/** `   3.  +12 s  refund`. */
export function stepName(step: TreeStep, { tree, depths, clockWidth }: SteppedRun, style: Style): string {
  const number = style.dim(`${String(step.number).padStart(4)}.`);
  const clock = style.dim(clockOf(step, tree).padStart(clockWidth));
  return `${number}  ${clock}  ${"  ".repeat(depths.get(step.number) ?? 0)}${nameText(step, style)}`;
}

/** Runs that were started within a step: they have steps of their own. */
export function innerRunLines(runs: readonly RunTree[], indent: string): string[] {
  return runs.map(
    ({ run, agent, totals }) =>
      `${indent}↳ run ${printable(run)} of agent ${printable(agent ?? "unknown")}: ${counted(totals.calls, "call")}, ${totals.denied} refused`,
  );
}

function nameText(step: TreeStep, style: Style): string {
  switch (step.kind) {
    case "call":
      return style.bold(short(step.tool === "" ? "(no name)" : (step.tool ?? "(name erased)"), 64));
    case "model":
      return `model ${short(step.model ?? "(unknown)", 64)}`;
    case "event":
      return style.dim(step.type);
  }
}

/** What became of it; empty for what just happened. */
export function stateText(step: TreeStep, style: Style): string {
  switch (step.kind) {
    case "call":
      return stagesOf(step, style);
    case "model":
      return modelState(step, style);
    case "event":
      return "";
  }
}

function modelState(step: ModelStep, style: Style): string {
  const { state, decision, execute, inputTokens, outputTokens, usdMicros, estimated } = step;
  if (state === "refused")
    return `${tone(style, state)}${style.dim(decision === null ? "" : ` (${rulesOf(decision)})`)}`;
  const took = execute.to === null ? "" : ` in ${spanText(lengthOf(execute))}`;
  const tokens = inputTokens === null ? "" : `  ${inputTokens} + ${outputTokens ?? 0} tokens`;
  const cost = usdMicros === null ? "" : `, ${dollarsText(usdMicros)}${estimated ? " estimated" : ""}`;
  return `${state === "responded" ? style.good(state) : tone(style, state)}${took}${style.dim(`${tokens}${cost}`)}`;
}

function stagesOf(step: ToolStep, style: Style): string {
  const stages: string[] = [];
  const [decision, ...later] = step.decisions;
  if (decision !== undefined) stages.push(`${tone(style, decision.verdict)}${style.dim(` (${rulesOf(decision)})`)}`);
  for (const { state, answers, requestedAt, answeredAt } of step.approvals) {
    const answer = answers.at(-1);
    const who = answer?.by == null ? "" : ` by ${short(answer.by, 40)}${answer.verified ? "" : ", not verified"}`;
    const waited = answeredAt === null ? "" : ` after ${spanText(answeredAt - requestedAt)}`;
    stages.push(`${tone(style, state)}${who}${waited}`);
  }
  const refused = step.state === "denied" ? later.findLast(({ verdict }) => verdict === "deny") : undefined;
  const took = step.execute?.to == null ? "" : ` in ${spanText(lengthOf(step.execute))}`;
  if (refused !== undefined) stages.push(`${tone(style, "denied")}${style.dim(` (${rulesOf(refused)})`)}`);
  else if (step.execute !== null || step.state === "proposed") stages.push(`${tone(style, step.state)}${took}`);
  const tripped = step.events.flatMap(({ type }) => (type.startsWith("breaker.") ? [style.bad(type)] : []));
  return [...stages, ...tripped].join(style.dim(" → "));
}

function rulesOf({ by }: CallDecision): string {
  return by.length === 0 ? "no rule" : short(by.join(", "), 120);
}

/** The text of one tab. */
export function tabLines(step: TreeStep, tab: Tab, run: SteppedRun, style: Style): string[] {
  switch (tab) {
    case "Arguments":
      return step.kind === "call"
        ? argumentLines(step, style)
        : step.kind === "model"
          ? settingLines(step, run, style)
          : eventLines(step);
    case "Decision":
      return step.kind === "call"
        ? decisionLines(step.decisions, step, style)
        : step.kind === "model" && step.decision !== null
          ? decisionLines([step.decision], undefined, style)
          : ["nothing was decided here"];
    case "Result":
      return resultLines(step, style);
    case "Prompt":
      return promptLines(step, run, style);
    case "Raw":
      return printableJson(JSON.stringify(toWire(step), null, 2)).split("\n");
  }
}

function argumentLines(step: ToolStep, style: Style): string[] {
  const { arguments: args } = step;
  const amountsIn = stepAmounts(step);
  const lines = [style.dim("as proposed"), ...contentLines(args.proposed, { amountsIn })];
  const [from, to] = [shownValue(args.proposed), shownValue(args.ran)];
  if (args.ran === null) return [...lines, style.dim("did not run")];
  if (from === undefined || to === undefined)
    return [...lines, style.dim("as run"), ...contentLines(args.ran, { amountsIn })];
  if (changedPaths(from, to).length === 0) return [...lines, style.dim("ran as proposed")];
  const who = args.approved === null ? "changed by the policies" : "as a person approved them";
  return [...lines, style.dim(`as run, ${who}`), ...differenceLines(from, to, style, amountsIn)];
}

function settingLines(step: ModelStep, { tree }: SteppedRun, style: Style): string[] {
  const settings = step.prompt?.settings ?? null;
  return [style.dim("settings"), ...contentLines(settings === null ? null : (tree.contents[settings] ?? null))];
}

function eventLines(step: Extract<TreeStep, { kind: "event" }>): string[] {
  return step.parts.flatMap(({ name, content }) => [printable(name), ...contentLines(content)]);
}

function decisionLines(decisions: readonly CallDecision[], step: ToolStep | undefined, style: Style): string[] {
  const lines = decisions.flatMap((decision) => [
    `${tone(style, decision.verdict)} by ${rulesOf(decision)}  ${style.dim(decision.approval === null ? moment(decision.at) : "after the approval")}`,
    ...(decision.reason === null ? [] : [`  ${printable(decision.reason)}`]),
    ...(decision.fix === null ? [] : [`  instead: ${printable(decision.fix)}`]),
    ...decision.rules.map(
      ({ rule, matched, verdict, file, line, column, error }) =>
        `  ${printable(rule)}  ${matched === "error" ? style.bad("error") : printable(verdict ?? "observed only")}  ${style.dim(file === null ? "" : `${printable(file)}:${line}:${column}`)}${error === null ? "" : `  ${printable(error)}`}`,
    ),
    ...(decision.would === null
      ? []
      : [`  would be ${printable(decision.would.verdict)} by ${printable(decision.would.by.join(", "))}`]),
  ]);
  const approvals = (step?.approvals ?? []).flatMap(({ id, state, reasons, answers }) => [
    `${tone(style, state)}  ${style.dim(printable(id))}`,
    ...reasons.map(({ id, reason }) => `  asked because of ${printable(id)}: ${printable(reason)}`),
    ...answers.map(
      ({ by, via, verified, note, edited, verdict }) =>
        `  ${verdict === "deny" ? "denied" : "approved"} by ${printable(by ?? "nobody who is named")}${via === null ? "" : ` (${printable(via)}${verified ? "" : ", not verified"})`}${edited ? ", edited" : ""}${note === null ? "" : `: ${printable(note)}`}`,
    ),
  ]);
  return lines.length + approvals.length === 0 ? ["nothing was decided here"] : [...lines, ...approvals];
}

function resultLines(step: TreeStep, style: Style): string[] {
  if (step.kind === "event") return eventLines(step);
  const content = step.kind === "call" ? (step.result ?? step.error) : (step.response ?? step.error);
  const note =
    step.kind === "call" && step.note !== null ? [style.dim("told beside it"), ...contentLines(step.note)] : [];
  const runs = step.kind === "call" ? innerRunLines(step.runs, "") : [];
  if (content === null) return [`no result: ${step.state}`, ...runs];
  return [tone(style, step.state), ...contentLines(content), ...note, ...runs];
}

function promptLines(step: TreeStep, run: SteppedRun, style: Style): string[] {
  // Of a call: what the model had been asked when it made it.
  const asked =
    step.kind === "model" ? step : run.steps.findLast((one) => one.kind === "model" && one.number < step.number);
  if (asked?.kind !== "model") {
    return run.tree.prompt === null
      ? ["no prompt was recorded"]
      : [style.dim("the person's words"), ...contentLines(run.tree.prompt)];
  }
  return promptMessages(run.tree, run.models, asked).flatMap((message, index) => [
    style.dim(`message ${index + 1}${roleText(message)}`),
    ...(message === null ? ["  (not in the log)"] : contentLines(message)),
  ]);
}

function roleText(message: Content | null): string {
  const role = roleOf(shownValue(message) ?? null);
  return role === null ? "" : `, ${short(role, 32)}`;
}
