/** A run as the API gives it: its steps as the rows of a list, and what a step holds. */
import type { Content, TimeSpan, Wire } from "@saferun/core";
import type { OutlineJson, PromptJson, StepJson } from "@saferun/server";
import { api, ask } from "../../api/client.ts";
import type { RunSummary } from "../runs/row.tsx";

export type Recorded = Wire<Content>;
export type Outline = OutlineJson & { readonly run: RunSummary };

/** A step, or a run of its own that was started within one. */
export type Row = Outline["rows"][number];
export type Step = Exclude<Row, { kind: "run" }>;
export type InnerRun = Extract<Row, { kind: "run" }>;

/** A step with what it holds. */
export type Held = StepJson;
type HeldStep = Held["step"];
export type CallStep = Extract<HeldStep, { kind: "call" }>;
export type EventStep = Extract<HeldStep, { kind: "event" }>;
export type Decision = CallStep["decisions"][number];

// The client's types read JSON as arrays that may be written to; it is the same.

export async function readRun(id: string): Promise<Outline> {
  return (await ask(api.runs[":id"].outline.$get({ param: { id } }))) as Outline;
}

/** The step and those around it that fit beside it. */
export async function readSteps(id: string, number: number, signal: AbortSignal): Promise<readonly Held[]> {
  const param = { id, number: String(number) };
  const { steps } = await ask(api.runs[":id"].steps[":number"].$get({ param }, { init: { signal } }));
  return steps as readonly Held[];
}

export async function readPrompt(id: string, number: number, last: number, signal: AbortSignal): Promise<PromptJson> {
  const request = { param: { id, number: String(number) }, query: { last: String(last) } };
  return (await ask(api.runs[":id"].steps[":number"].prompt.$get(request, { init: { signal } }))) as PromptJson;
}

export function isStep(row: Row): row is Step {
  return row.kind !== "run";
}

export function nameOf({ kind, name }: Step): string {
  return name ?? (kind === "call" ? "(name erased)" : "model");
}

const OPEN: readonly string[] = ["waiting", "suspended", "approved", "executing", "pending"];
const WRONG: readonly string[] = ["denied", "expired", "withdrawn", "failed", "unknown", "refused", "lost"];

/** Not over yet, as far as the log knows. */
export function isOpen({ state }: Step): boolean {
  return OPEN.includes(state ?? "");
}

export function isWrong({ state }: Step): boolean {
  return WRONG.includes(state ?? "");
}

/** What a person who opens the run wants to see first: what waits, what went wrong, what a person was asked, what was called. */
export function firstLook(steps: readonly Step[]): number {
  const look =
    steps.find(isOpen) ??
    steps.find(isWrong) ??
    steps.find(({ kind, wait }) => kind === "call" && wait.length > 0) ??
    steps.find(({ kind }) => kind === "call") ??
    steps[0];
  return look?.number ?? 1;
}

export type Stage = "evaluate" | "wait" | "execute";

export interface Stretch extends Wire<TimeSpan> {
  readonly stage: Stage;
}

export function stretchesOf(row: Row): readonly Stretch[] {
  if (row.kind === "run") return [{ stage: "execute", from: row.started_at, to: row.last_at }];
  const { evaluate, wait, execute } = row;
  return [
    ...evaluate.map((span) => ({ stage: "evaluate" as const, ...span })),
    ...wait.map((span) => ({ stage: "wait" as const, ...span })),
    ...(execute === null ? [] : [{ stage: "execute" as const, ...execute }]),
  ];
}
