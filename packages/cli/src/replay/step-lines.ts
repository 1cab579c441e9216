/** One step of a run as text, in the tabs that people look at it by. */
import {
  allSteps,
  type CallDecision,
  type Content,
  changedPaths,
  type ErasureNote,
  lengthOf,
  type ModelStep,
  promptMessages,
  type RunTree,
  shownValue,
  type ToolStep,
  type TreeStep,
  toWire,
} from "@saferun/core";
import { differenceLines } from "../approvals/view.ts";
import { counted } from "../output/counted.ts";
import { printable, printableJson, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { moment, span } from "../output/time.ts";
import { leaf, treeLines } from "../output/tree.ts";

export const TABS = ["Arguments", "Decision", "Result", "Prompt", "Raw"] as const;
export type Tab = (typeof TABS)[number];

/** A run whose steps are looked up by their number. */
export interface SteppedRun {
  readonly tree: RunTree;
  readonly steps: readonly TreeStep[];
  readonly models: ReadonlyMap<number, ModelStep>;
}

export function stepped(tree: RunTree): SteppedRun {
  const steps = allSteps(tree.steps);
  const models = steps.flatMap((step) => (step.kind === "model" ? [[step.number, step] as const] : []));
  return { tree, steps, models: new Map(models) };
}

export function runHead({ tree, steps }: SteppedRun, style: Style): string[] {
  const { totals } = tree;
  const counts = `${counted(totals.calls, "call")}, ${totals.denied} refused, ${counted(totals.models, "model turn")}`;
  const cost = `${totals.inputTokens} + ${totals.outputTokens} tokens, ${dollars(totals.usdMicros)}${totals.estimated ? " (in part estimated)" : ""}`;
  const unpriced = totals.unpriced > 0 ? `, ${totals.unpriced} without a price` : "";
  const times = `evaluated ${span(totals.evaluateMs)}, waited ${span(totals.waitMs)}, executed ${span(totals.executeMs)}, models ${span(totals.modelMs)}`;
  return [
    `${style.bold(printable(tree.run))}  agent ${printable(tree.agent ?? "unknown")} in ${printable(tree.environment ?? "unknown")}`,
    style.dim(
      `${moment(tree.startedAt)}, ${span(tree.lastAt - tree.startedAt)}, ${counted(steps.length, "step")}: ${counts}`,
    ),
    style.dim(`${cost}${unpriced}; ${times}`),
    ...tree.gaps.map(({ from, to }) => style.bad(`entries ${from} to ${to} of this run are not in the log`)),
  ];
}

/** `  3. refund  +12 s  pause → approved → succeeded in 40 ms`. */
export function stepLine(step: TreeStep, { tree }: SteppedRun, style: Style, depth = 0): string {
  const number = style.dim(`${String(step.number).padStart(4)}.`);
  const clock = style.dim(`+${span(step.at - tree.startedAt)}`);
  return `${number} ${"  ".repeat(depth)}${titleOf(step, style)}  ${clock}`;
}

function titleOf(step: TreeStep, style: Style): string {
  switch (step.kind) {
    case "call":
      return `${style.bold(short(step.tool ?? "(name erased)", 64))}  ${stagesOf(step, style)}`;
    case "model": {
      const tokens = step.inputTokens === null ? "" : `  ${step.inputTokens} + ${step.outputTokens ?? 0} tokens`;
      const cost = step.usdMicros === null ? "" : `, ${dollars(step.usdMicros)}`;
      const took = step.execute.to === null ? "" : ` in ${span(lengthOf(step.execute))}`;
      return `model ${short(step.model ?? "(unknown)", 64)}  ${step.state === "responded" ? style.good("responded") : tone(style, step.state)}${took}${style.dim(`${tokens}${cost}`)}`;
    }
    case "event":
      return style.dim(step.type);
  }
}

function stagesOf(step: ToolStep, style: Style): string {
  const stages: string[] = [];
  const [decision] = step.decisions;
  if (decision !== undefined) stages.push(`${tone(style, decision.verdict)}${style.dim(` (${rulesOf(decision)})`)}`);
  for (const { state, answers, requestedAt, answeredAt } of step.approvals) {
    const by = answers.at(-1)?.by;
    const waited = answeredAt === null ? "" : ` after ${span(answeredAt - requestedAt)}`;
    stages.push(`${tone(style, state)}${by === undefined || by === null ? "" : ` by ${short(by, 40)}`}${waited}`);
  }
  const over = step.execute !== null || step.state === "denied" || step.state === "proposed";
  const took = step.execute?.to == null ? "" : ` in ${span(lengthOf(step.execute))}`;
  if (over && !(step.state === "denied" && step.decisions.length === 1 && step.approvals.length === 0))
    stages.push(`${tone(style, step.state)}${took}`);
  return stages.join(style.dim(" → "));
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

function argumentLines({ arguments: args }: ToolStep, style: Style): string[] {
  const lines = [style.dim("as proposed"), ...contentLines(args.proposed)];
  const [from, to] = [shownValue(args.proposed), shownValue(args.ran)];
  if (args.ran === null) return [...lines, style.dim("did not run")];
  if (from === undefined || to === undefined) return [...lines, style.dim("as run"), ...contentLines(args.ran)];
  if (changedPaths(from, to).length === 0) return [...lines, style.dim("ran as proposed")];
  const who = args.approved === null ? "changed by the policies" : "as a person approved them";
  return [...lines, style.dim(`as run, ${who}`), ...differenceLines(from, to, style)];
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
  return content === null ? [`no result: ${step.state}`] : [tone(style, step.state), ...contentLines(content), ...note];
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
    style.dim(`message ${index + 1}`),
    ...(message === null ? ["  (not in the log)"] : contentLines(message)),
  ]);
}

/** What is gone or masked is said to be. */
function contentLines(content: Content | null): string[] {
  if (content === null) return ["  (none)"];
  switch (content.state) {
    case "present": {
      const { value, masked } = content;
      const tree = typeof value === "object" && value !== null;
      const mask =
        masked.length === 0
          ? []
          : [`  (masked in the record: ${printable(masked.map((path) => path || "all of it").join(", "))})`];
      return [...(tree ? treeLines(value) : [`  ${leaf(value)}`]), ...mask];
    }
    case "encoded":
      return [
        `  (${content.encoding === "text" ? "no JSON; the nearest text" : content.encoding})  ${printable(content.value)}`,
      ];
    case "omitted":
      return [`  (over the limit of the record${content.bytes === null ? "" : `: ${content.bytes} bytes`})`];
    case "sealed":
      return ["  (sealed: its key is not beside the store, or it was changed; put `seal.key` and `keys.db` back)"];
    case "erased":
      return [`  (erased from the log${erasedText(content.erasure)})`];
    case "missing":
      return ["  (missing from the log, or not readable)"];
  }
}

function erasedText(erasure: ErasureNote | undefined): string {
  if (erasure === undefined) return "";
  const { at, by, reason, seq } = erasure;
  return ` on ${moment(at)} by ${printable(by)}: ${printable(reason)} (entry ${seq})`;
}

/** Of millionths. */
export function dollars(usdMicros: string): string {
  const micros = BigInt(usdMicros);
  return `$${micros / 1_000_000n}.${String(micros % 1_000_000n)
    .padStart(6, "0")
    .replace(/0{1,4}$/, "")}`;
}
