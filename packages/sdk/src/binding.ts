/** A gate with what one `wrap` knows: the two ways to run a tool through it, as a promise and as a stream. */
import {
  type CallRequest,
  type Gate,
  type Hash,
  type Permit,
  type Random,
  type Store,
  unreachable,
} from "@saferun/core";
import { deniedCall, withEditNote } from "./denied.ts";
import { type Frame, keyOf, resumedFrame, runOf, toolFrame, within } from "./frame.ts";
import type { CheckedFacts } from "./run-facts.ts";

export interface Binding {
  readonly gate: Gate;
  readonly store: Store;
  readonly hash: Hash;
  readonly random: Random;
  /** Undefined: the run's agent. */
  readonly agent: string | undefined;
  readonly environment: string;
  /** Stated anew for each run that no `saferun.run` has opened. */
  readonly facts: () => CheckedFacts;
  /** Something that its operator must see and that stops nothing. */
  readonly warn: (message: string) => void;
}

export interface ToolRequest {
  readonly tool: string;
  readonly args: unknown;
  readonly toolCallId: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** The framework took this call from a message history. */
  readonly resumed: boolean;
}

/**
 * Runs a tool if the gate lets it: its result, or a `DeniedCall`. `execute` sees the permitted arguments only.
 * Rejects with what the tool threw, after its outcome was recorded.
 */
export async function runTool(
  binding: Binding,
  bound: Frame | undefined,
  request: ToolRequest,
  execute: (args: unknown) => unknown,
): Promise<unknown> {
  const frame = frameOf(binding, bound, request);
  const answer = await binding.gate.call(runOf(binding, frame), callRequest(frame, request), (permit) =>
    within(executing(frame, permit, request), () => execute(permit.args)),
  );
  switch (answer.status) {
    case "ran":
      return noted(answer.permit, answer.result);
    case "threw":
      throw answer.error;
    case "denied":
      return deniedCall(answer.denial);
    default:
      return unreachable(answer);
  }
}

/**
 * The same for a tool that yields its results: nothing starts before the first value is asked for and the gate has
 * answered, and the outcome is recorded before the stream ends. A reader that stops early leaves the outcome open, as a
 * throw does.
 */
export async function* streamTool(
  binding: Binding,
  bound: Frame | undefined,
  request: ToolRequest,
  execute: (args: unknown) => AsyncIterable<unknown>,
): AsyncGenerator<unknown, unknown> {
  const frame = frameOf(binding, bound, request);
  const admission = await binding.gate.admit(runOf(binding, frame), callRequest(frame, request));
  if (!admission.admitted) {
    yield deniedCall(admission.denial);
    return undefined;
  }
  const { permit } = admission;
  const inside = executing(frame, permit, request);
  let iterator: AsyncIterator<unknown> | undefined;
  let ended: { readonly last: unknown; readonly value: unknown } | undefined;
  let thrown: { readonly error: unknown } | undefined;
  try {
    const values = within(inside, () => execute(permit.args)[Symbol.asyncIterator]());
    iterator = values;
    for (let last: unknown; ; ) {
      const next = await within(inside, () => values.next());
      if (next.done === true) {
        ended = { last, value: next.value };
        break;
      }
      last = next.value;
      yield last;
    }
  } catch (error) {
    thrown = { error };
    throw error;
  } finally {
    if (ended === undefined) {
      const why = thrown === undefined ? "the reader stopped before the end" : thrown.error;
      try {
        await permit.settle(binding.gate.outcomeOfThrow(permit.tool), why);
      } finally {
        if (thrown === undefined) await within(inside, () => iterator?.return?.());
      }
    }
  }
  await permit.settle("succeeded", ended.last);
  if (permit.edited || permit.changed) yield withEditNote(ended.last, permit);
  return ended.value;
}

function frameOf(binding: Binding, bound: Frame | undefined, request: ToolRequest): Frame {
  const frame = toolFrame(binding, bound);
  return request.resumed && request.toolCallId !== undefined ? resumedFrame(frame, request.toolCallId, binding) : frame;
}

function callRequest(frame: Frame, { tool, args, toolCallId, signal }: ToolRequest): CallRequest {
  const key = keyOf(frame, toolCallId);
  return { tool, args, ...(key === undefined ? {} : { key }), ...(signal === undefined ? {} : { signal }) };
}

function executing(frame: Frame, permit: Permit, { toolCallId }: ToolRequest): Frame {
  return { ...frame, parent: frame, call: { id: permit.callId, toolCallId } };
}

function noted(permit: Permit, result: unknown): unknown {
  return permit.edited || permit.changed ? withEditNote(result, permit) : result;
}
