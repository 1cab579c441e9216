/**
 * What the record answers when an agent's own code asks again: its models and tools, step by step. Pure but for what was
 * asked already. Steps that ran side by side may come in any order; a step that began after another had ended may not.
 */
import type { Denial } from "../decision.ts";
import { denialOf, deniedByPerson, repeatedDenial } from "../gate/denial.ts";
import { encodePart } from "../log/part.ts";
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { type Content, contentOfBytes, exactValue, fieldOf, shownValue, textOf, textsOf } from "./content.ts";
import { firstDifference } from "./difference.ts";
import { promptMessages } from "./model-step.ts";
import { allSteps } from "./run-tree.ts";
import type { ModelStep, RunTree, ToolStep } from "./tree.ts";

/**
 * - `other_tool`, `other_arguments`, `other_prompt`: asked in the place of what was recorded.
 * - `missing_call`: recorded, and not asked for, or not yet: what came instead is recorded later. `extra_call`: asked for, and
 *   not recorded.
 * - `no_answer`: the record does not hold what it was answered.
 */
export interface Divergence {
  readonly kind: "other_tool" | "other_arguments" | "other_prompt" | "missing_call" | "extra_call" | "no_answer";
  /** Of the recorded run; null where nothing is recorded in its place. */
  readonly step: number | null;
  /** What is compared: a tool's or model's name, and where in it they differ. */
  readonly where: string;
  readonly expected: string | null;
  readonly got: string | null;
}

export type ToolAnswer =
  | { readonly type: "result"; readonly value: Json; readonly note: ToolNote | null; readonly ran: JsonObject }
  | { readonly type: "threw"; readonly name: string; readonly message: string }
  | { readonly type: "denied"; readonly denial: Denial };

export interface ToolNote {
  readonly edited: boolean;
  readonly changed: boolean;
  readonly notes: readonly string[];
}

export type ModelAnswer =
  | { readonly type: "response"; readonly value: JsonObject }
  | { readonly type: "threw"; readonly name: string; readonly message: string };

export type Recalled<Answer> = { readonly answer: Answer } | { readonly divergence: Divergence };

/** One recorded answer, replaced. Behind it prompts may be others, and the recorded answers are given all the same. */
export interface Fork {
  readonly step: number;
  readonly answer: Json;
}

export class RecordedAnswers {
  readonly #tree: RunTree;
  readonly #fork: Fork | undefined;
  readonly #models: ReadonlyMap<number, ModelStep>;
  /** In the order of the record. What a tool did within itself is in its recorded result. */
  readonly #left: (ToolStep | ModelStep)[];
  readonly #changes: Divergence[] = [];
  #forked = false;

  constructor(tree: RunTree, fork?: Fork) {
    this.#tree = tree;
    this.#fork = fork;
    const models = allSteps(tree.steps).flatMap((step) => (step.kind === "model" ? [step] : []));
    this.#models = new Map(models.map((step) => [step.number, step]));
    this.#left = tree.steps.filter((step) => step.kind !== "event");
  }

  /** Prompts that are others behind the fork. */
  changes(): readonly Divergence[] {
    return this.#changes;
  }

  /** @param messages As they would be recorded. */
  model(asked: {
    readonly model: string;
    readonly messages: readonly unknown[];
    readonly settings: unknown;
  }): Recalled<ModelAnswer> {
    const frontier = this.#frontier();
    const questions = frontier.filter((step): step is ModelStep => step.kind === "model");
    const [first] = frontier;
    if (first === undefined) return { divergence: extra(null, asked.model, promptText(asked.messages)) };
    const found = questions.map((step) => ({ step, difference: this.#promptDifference(step, asked) }));
    const same = found.find(({ difference }) => difference === null) ?? found[0];
    if (same === undefined) return { divergence: missing(first, `a question to \`${asked.model}\``) };
    const { step, difference } = same;
    if (difference !== null && !this.#forked) return { divergence: difference };
    if (difference !== null) this.#changes.push(difference);
    return this.#taken(step, modelAnswer(step));
  }

  tool(asked: { readonly tool: string; readonly args: unknown }): Recalled<ToolAnswer> {
    const frontier = this.#frontier();
    const calls = frontier.filter((step): step is ToolStep => step.kind === "call");
    const got = contentOfBytes(encodePart(asked.args), []);
    const differences = (step: ToolStep) => firstDifference(step.arguments.proposed, got);
    const exact = calls.find((step) => step.tool === asked.tool && differences(step) === null);
    if (exact !== undefined) return this.#taken(exact, toolAnswer(exact));
    const [awaited] = frontier;
    const later = this.#left.find(
      (step) => step.kind === "call" && step.tool === asked.tool && differences(step) === null,
    );
    if (later !== undefined && awaited !== undefined) {
      const got = `${asked.tool} ${textOfContent(contentOfBytes(encodePart(asked.args), []))}, recorded as step ${later.number}`;
      return { divergence: missing(awaited, got) };
    }
    const near = calls.find((step) => step.tool === asked.tool);
    const [first] = calls;
    if (near !== undefined) {
      const difference = differences(near);
      const { path = "", expected = null, got: other = null } = difference ?? {};
      return {
        divergence: {
          kind: "other_arguments",
          step: near.number,
          where: `${asked.tool} ${path}`.trim(),
          expected,
          got: other,
        },
      };
    }
    if (first !== undefined) {
      return {
        divergence: {
          kind: "other_tool",
          step: first.number,
          where: first.tool ?? "",
          expected: callText(first),
          got: `${asked.tool} ${textOfContent(got)}`,
        },
      };
    }
    return { divergence: extra(frontier[0] ?? null, asked.tool, textOfContent(got)) };
  }

  /** When the code has ended: what was recorded and not asked for. */
  rest(): Divergence | null {
    const [first] = this.#left;
    return first === undefined ? null : missing(first, "the end");
  }

  /** Steps that may be next: none of those left had ended before they began. */
  #frontier(): readonly (ToolStep | ModelStep)[] {
    let soonest = Number.POSITIVE_INFINITY;
    const frontier: (ToolStep | ModelStep)[] = [];
    for (const step of this.#left) {
      if (step.seq > soonest) break;
      frontier.push(step);
      soonest = Math.min(soonest, endOf(step));
    }
    return frontier;
  }

  #taken<Answer extends ToolAnswer | ModelAnswer>(
    step: ToolStep | ModelStep,
    answer: Answer | string,
  ): Recalled<Answer> {
    this.#left.splice(this.#left.indexOf(step), 1);
    const fork = this.#fork;
    if (fork !== undefined && step.number === fork.step) {
      this.#forked = true;
      return { answer: replaced(step, fork.answer) as Answer };
    }
    if (typeof answer !== "string") return { answer };
    return { divergence: { kind: "no_answer", step: step.number, where: nameOf(step), expected: null, got: answer } };
  }

  #promptDifference(
    step: ModelStep,
    asked: { readonly messages: readonly unknown[]; readonly settings: unknown },
  ): Divergence | null {
    const recorded = promptMessages(this.#tree, this.#models, step);
    const of = (where: string, expected: string | null, got: string | null): Divergence => ({
      kind: "other_prompt",
      step: step.number,
      where,
      expected,
      got,
    });
    for (let index = 0; index < Math.max(recorded.length, asked.messages.length); index++) {
      const content = recorded[index];
      const message = asked.messages[index];
      if (content === undefined)
        return of(`message ${index + 1}`, null, textOfContent(contentOfBytes(encodePart(message), [])));
      if (index >= asked.messages.length)
        return of(`message ${index + 1}`, content === null ? "(not in the log)" : textOfContent(content), null);
      const difference = content === null ? null : firstDifference(content, contentOfBytes(encodePart(message), []));
      if (difference !== null)
        return of(`message ${index + 1} ${difference.path}`.trim(), difference.expected, difference.got);
    }
    const place = step.prompt?.settings ?? null;
    const settings = place === null ? null : (this.#tree.contents[place] ?? null);
    const difference =
      settings === null ? null : firstDifference(settings, contentOfBytes(encodePart(asked.settings), []));
    return difference === null ? null : of(`settings ${difference.path}`.trim(), difference.expected, difference.got);
  }
}

/** Position of the entry that ended it; what has not ended ends after everything. */
function endOf(step: ToolStep | ModelStep): number {
  const over = step.kind === "model" ? step.state !== "pending" : !OPEN.includes(step.state);
  return over ? (step.events.at(-1)?.seq ?? step.seq) : Number.POSITIVE_INFINITY;
}

const OPEN: readonly string[] = ["proposed", "waiting", "suspended", "approved", "executing"];

/** A text says why there is none. */
function modelAnswer(step: ModelStep): ModelAnswer | string {
  if (step.state === "failed") return thrown(step.error);
  if (step.state === "refused")
    return { type: "threw", name: "SafeRunError", message: step.decision?.reason ?? "the model was not called" };
  const value = exactValue(step.response);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return { type: "response", value: value as JsonObject };
  return absent(step.response);
}

function toolAnswer(step: ToolStep): ToolAnswer | string {
  const tool = step.tool ?? "";
  const named = { id: step.call, tool };
  const decision = step.decisions.at(-1);
  const approval = step.approvals.at(-1);
  switch (step.state) {
    case "succeeded": {
      const value = exactValue(step.result);
      const ran = exactValue(step.arguments.ran);
      if (value === undefined) return absent(step.result);
      const note = shownValue(step.note);
      const said = note === undefined ? null : noteOf(note);
      return { type: "result", value, note: said, ran: isObject(ran) ? ran : {} };
    }
    case "failed":
    case "unknown":
      return step.error === null ? "nobody knows how it ended" : thrown(step.error);
    case "denied": {
      if (decision?.verdict === "deny" || approval === undefined) {
        if (decision === undefined) return "its decision is not in the log";
        const { by, reason, fix } = decision;
        const denied = { by, reason: reason ?? "", ...(fix === null ? {} : { fix }) };
        return { type: "denied", denial: denialOf(step.call, tool, denied) };
      }
      const note = approval.answers.at(-1)?.note ?? null;
      return { type: "denied", denial: deniedByPerson(named, { reasons: approval.reasons, decision: { note } }) };
    }
    case "expired":
      return { type: "denied", denial: repeatedDenial({ ...named, state: "expired" }, "expired") };
    case "withdrawn":
      return { type: "denied", denial: repeatedDenial({ ...named, state: "expired" }, "aborted") };
    default:
      return `it had no answer yet (${step.state})`;
  }
}

function replaced(step: ToolStep | ModelStep, answer: Json): ToolAnswer | ModelAnswer {
  if (step.kind === "model") return { type: "response", value: isObject(answer) ? answer : {} };
  const ran = exactValue(step.arguments.ran);
  return { type: "result", value: answer, note: null, ran: isObject(ran) ? ran : {} };
}

function thrown(error: Content | null): { type: "threw"; name: string; message: string } | string {
  const value = shownValue(error);
  if (value === undefined) return absent(error);
  return {
    type: "threw",
    name: textOf(fieldOf(value, "name")) ?? "Error",
    message: textOf(fieldOf(value, "message")) ?? canonicalJson(value),
  };
}

function noteOf(note: Json): ToolNote {
  const [edited, changed] = [fieldOf(note, "edited") === true, fieldOf(note, "changed") === true];
  return { edited, changed, notes: textsOf(fieldOf(note, "notes")) ?? [] };
}

function absent(content: Content | null): string {
  if (content === null) return "nothing was recorded";
  return content.state === "present"
    ? "the record masks something of it"
    : `the record has it no more: ${content.state}`;
}

function missing(step: ToolStep | ModelStep, got: string): Divergence {
  return { kind: "missing_call", step: step.number, where: nameOf(step), expected: callText(step), got };
}

function extra(instead: ToolStep | ModelStep | null, where: string, got: string): Divergence {
  const expected = instead === null ? "the end" : callText(instead);
  return { kind: "extra_call", step: instead?.number ?? null, where, expected, got: `${where} ${got}`.trim() };
}

function nameOf(step: ToolStep | ModelStep): string {
  return (step.kind === "call" ? step.tool : step.model) ?? "";
}

function callText(step: ToolStep | ModelStep): string {
  if (step.kind === "model") return `a question to \`${step.model ?? "a model"}\``;
  return `${step.tool ?? "(name erased)"} ${step.arguments.proposed === null ? "" : textOfContent(step.arguments.proposed)}`.trim();
}

function promptText(messages: readonly unknown[]): string {
  const last = messages.at(-1);
  return last === undefined ? "" : textOfContent(contentOfBytes(encodePart(last), []));
}

/** Cut: it is for people, who have the whole in the record. */
function textOfContent(content: Content): string {
  const value = content.state === "present" ? canonicalJson(content.value) : `(${content.state})`;
  return value.length > 400 ? `${value.slice(0, 400)}…`.toWellFormed() : value;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
