/** A run as the API gives it, and its steps as the rows of a list. */
import type { Content, RunTree, TimeSpan, TreeStep, Wire } from "@saferun/core";
import { api, ask } from "../../api/client.ts";

export type Tree = Wire<RunTree>;
export type Step = Wire<TreeStep>;
export type CallStep = Extract<Step, { kind: "call" }>;
export type ModelStep = Extract<Step, { kind: "model" }>;
export type Decision = CallStep["decisions"][number];
export type Recorded = Wire<Content>;

export async function readRun(id: string) {
  const { run, tree } = await ask(api.runs[":id"].$get({ param: { id } }));
  // The client's types read JSON as arrays that may be written to; it is the same.
  return { run, tree: tree as Tree };
}

/** A step, or a run of its own that was started within one. */
export type Row =
  | { readonly kind: "step"; readonly step: Step; readonly depth: number }
  | { readonly kind: "run"; readonly run: Tree; readonly depth: number };

/** In the order of their beginnings, what happened within a call below it. */
export function rowsOf(tree: Tree): readonly Row[] {
  const rows: Row[] = [];
  const add = (steps: Tree["steps"], runs: Tree["runs"], depth: number): void => {
    for (const step of steps) {
      rows.push({ kind: "step", step, depth });
      if (step.kind === "call") add(step.steps, step.runs, depth + 1);
    }
    for (const run of runs) rows.push({ kind: "run", run, depth });
  };
  add(tree.steps, tree.runs, 0);
  return rows;
}

export function nameOf(step: Step): string {
  if (step.kind === "call") return step.tool ?? "(name erased)";
  return step.kind === "model" ? (step.model ?? "model") : step.type;
}

export function stateOf(step: Step): string | null {
  return step.kind === "event" ? null : step.state;
}

const OPEN: readonly string[] = ["waiting", "suspended", "approved", "executing", "pending"];
const WRONG: readonly string[] = ["denied", "expired", "withdrawn", "failed", "unknown", "refused", "lost"];

/** Not over yet, as far as the log knows. */
export function isOpen(step: Step): boolean {
  return OPEN.includes(stateOf(step) ?? "");
}

export function isWrong(step: Step): boolean {
  return WRONG.includes(stateOf(step) ?? "");
}

/** What a person who opens the run wants to see first: what waits, what went wrong, what a person was asked, what was called. */
export function firstLook(steps: readonly Step[]): number {
  const look =
    steps.find(isOpen) ??
    steps.find(isWrong) ??
    steps.find((step) => step.kind === "call" && step.approvals.length > 0) ??
    steps.find(({ kind }) => kind === "call") ??
    steps[0];
  return look?.number ?? 1;
}

export type Stage = "evaluate" | "wait" | "execute";

export interface Stretch extends Wire<TimeSpan> {
  readonly stage: Stage;
}

export function stretchesOf(row: Row): readonly Stretch[] {
  if (row.kind === "run") return [{ stage: "execute", from: row.run.started_at, to: row.run.last_at }];
  const { step } = row;
  if (step.kind === "event") return [];
  if (step.kind === "model") return [{ stage: "execute", ...step.execute }];
  return [
    ...step.evaluate.map((span) => ({ stage: "evaluate" as const, ...span })),
    ...step.wait.map((span) => ({ stage: "wait" as const, ...span })),
    ...(step.execute === null ? [] : [{ stage: "execute" as const, ...step.execute }]),
  ];
}
