/** A run for pages: all of it at one look without content, and each step's content by itself. */
import {
  type ArgumentUnits,
  allSteps,
  type Content,
  type ModelStep,
  promptMessages,
  type RunTree,
  stepUnits,
  type ToolStep,
  type TreeStep,
  toWire,
  type Wire,
} from "@saferun/core";
import type { z } from "zod";
import { goingOn, type RunFacts } from "../run-list.ts";
import type { RunList, RunOutline, ShownStep } from "../schemas/runs.ts";
import { iso } from "./moment.ts";

/** Tools that a line of a list names. */
const SHOWN_TOOLS = 6;

/** @param agent Its name, as far as that is known. */
export function summaryJson(facts: RunFacts, agent: string): z.infer<typeof RunList>["runs"][number] {
  const { run, seen, waiting, stopped, ended } = facts;
  const tools = [...(seen?.tools ?? [])];
  return {
    id: run.id,
    agent,
    agent_id: run.agent,
    environment: run.environment,
    entries: run.entries,
    started_at: iso(run.startedAt),
    last_at: iso(run.lastAt),
    waiting,
    counts: seen?.counts ?? null,
    usd_micros: seen?.usdMicros?.toString() ?? null,
    tools: tools.slice(0, SHOWN_TOOLS).map(([tool, calls]) => ({ tool, calls })),
    more_tools: tools.length > SHOWN_TOOLS || seen?.moreTools === true,
    principal: seen?.principal ?? null,
    stopped,
    going_on: goingOn(facts),
    ended,
  };
}

export type OutlineJson = Omit<z.infer<typeof RunOutline>, "run">;
type Row = OutlineJson["rows"][number];

export function outlineJson(tree: RunTree): OutlineJson {
  const rows: Row[] = [];
  const add = ({ steps, runs }: Pick<RunTree, "steps" | "runs">, depth: number): void => {
    for (const step of steps) {
      rows.push(rowOf(step, depth));
      if (step.kind === "call") add(step, depth + 1);
    }
    for (const { run, agent, startedAt, lastAt, totals } of runs) {
      rows.push({ kind: "run", depth, run, agent, started_at: startedAt, last_at: lastAt, calls: totals.calls });
    }
  };
  add(tree, 0);
  return {
    principal: wireOf(tree.principal),
    prompt: wireOf(tree.prompt),
    around: [...tree.around],
    started_at: tree.startedAt,
    last_at: tree.lastAt,
    gaps: [...tree.gaps],
    totals: toWire(tree.totals),
    rows,
  };
}

function rowOf(step: TreeStep, depth: number): Row {
  const { kind, number, at, agent, turn } = step;
  const place = { kind, number, depth, at, agent, turn };
  switch (step.kind) {
    case "call": {
      const { tool: name, state, evaluate, wait, execute, approvals } = step;
      const approval = approvals.find((one) => one.state === "waiting")?.id ?? null;
      return { ...place, name, state, evaluate: [...evaluate], wait: [...wait], execute, approval };
    }
    case "model":
      return { ...place, ...NO_SPANS, name: step.model, state: step.state, execute: step.execute };
    case "event":
      return { ...place, ...NO_SPANS, name: step.type, state: null, execute: null };
  }
}

const NO_SPANS = { evaluate: [], wait: [], approval: null };

export interface StepJson {
  step: Wire<ShownStep>;
  settings: Wire<Content> | null;
  /** What a call's arguments count, by path. */
  units: ArgumentUnits;
}

/** A page reads on in both directions: so many beside the one that is asked for. */
const BESIDE = 8;
/** Characters of all of them together: what is large comes by itself. */
const MOST_CHARACTERS = 65_536;

/** The step and those around it that fit beside it, the nearest first; nothing where there is no such step. */
export function stepsJson(tree: RunTree, number: number): readonly StepJson[] {
  const all = allSteps(tree.steps);
  const found: StepJson[] = [];
  let characters = 0;
  for (const step of around(all, number)) {
    const json = stepJson(tree, step);
    characters += found.length === 0 ? 0 : JSON.stringify(json).length;
    if (characters > MOST_CHARACTERS) break;
    found.push(json);
  }
  return found;
}

function around(all: readonly TreeStep[], number: number): readonly TreeStep[] {
  if (all[number - 1] === undefined) return [];
  const places = Array.from({ length: BESIDE }, (_, at) => [number + at + 1, number - at - 1]).flat();
  return [number, ...places].flatMap((one) => all[one - 1] ?? []);
}

function stepJson(tree: RunTree, step: TreeStep): StepJson {
  const settings = step.kind === "model" ? (step.prompt?.settings ?? null) : null;
  return {
    step: toWire(shown(step)),
    settings: settings === null ? null : wireOf(tree.contents[settings] ?? null),
    units: step.kind === "call" ? stepUnits(step) : {},
  };
}

function shown(step: TreeStep): ShownStep {
  switch (step.kind) {
    case "call": {
      const { steps: _steps, runs: _runs, decisions, ...rest } = step;
      return { ...rest, decisions: decisions.map(withoutContent) };
    }
    case "model":
      return { ...step, decision: step.decision === null ? null : withoutContent(step.decision) };
    case "event":
      return step;
  }
}

function withoutContent({ content: _content, ...decision }: ToolStep["decisions"][number]) {
  return decision;
}

export interface PromptJson {
  asked: boolean;
  before: number;
  messages: (Wire<Content> | null)[];
}

/** Of the last question to a model up to that step: its last messages, `most` of them. */
export function promptJson(tree: RunTree, number: number, most: number): PromptJson {
  const models = new Map<number, ModelStep>();
  let asked: ModelStep | undefined;
  for (const step of allSteps(tree.steps)) {
    if (step.number > number) break;
    if (step.kind !== "model") continue;
    models.set(step.number, step);
    asked = step;
  }
  const all = asked === undefined ? [] : promptMessages(tree, models, asked);
  const messages = all.slice(-most).map(wireOf);
  return { asked: asked !== undefined, before: all.length - messages.length, messages };
}

function wireOf(content: Content | null): Wire<Content> | null {
  return content === null ? null : toWire(content);
}
