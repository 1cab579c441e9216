/** A gate with what one `wrap` knows: the two ways to run a tool through it, as a promise and as a stream. */
import {
  coversCall,
  type Gate,
  type Hash,
  type Permit,
  type Random,
  type Store,
  stopRule,
  stopsInForce,
  toHex,
  toldOf,
} from "@saferun/core";
import { deniedCall, withEditNote } from "./denied.ts";
import { continuedFrame, currentFrame, type Frame, keyOf, resumedFrame, runOf, toolFrame, within } from "./frame.ts";
import { type Admitted, hold, takeHeld } from "./held.ts";
import { inFlight } from "./in-flight.ts";
import { againId, findPending, findTaken, isPending, rememberPending, resumeId } from "./pending.ts";
import type { Prices } from "./prices.ts";
import { recordedError, type Session, session, take } from "./re-execute.ts";
import type { CheckedFacts } from "./run-facts.ts";

export interface Binding {
  readonly gate: Gate;
  readonly store: Store;
  readonly hash: Hash;
  readonly random: Random;
  /** Undefined: the run's agent. */
  readonly agent: string | undefined;
  readonly environment: string;
  /** The principal who answers for the agent. Absent: nobody. */
  readonly owner?: string;
  /** How long a call waits here for a person. Absent: to its deadline. */
  readonly maxWaitMs?: number;
  /** Stated anew for each run that no `saferun.run` has opened. */
  readonly facts: () => CheckedFacts;
  /** Names the policies that it follows; empty: it has none, and records only. */
  readonly follows?: string;
  /** What models cost. Absent: as the table of the package says. */
  readonly prices?: Prices;
  /** It was made for a re-execution: the record answers, and nothing runs. */
  readonly session?: Session;
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
  execute: (args: unknown, signal: AbortSignal) => unknown,
): Promise<unknown> {
  const under = binding.session ?? session();
  if (under !== undefined) return recordedResult(under, binding, request);
  const { frame, admission } = await admitTool(binding, bound, request);
  if (!admission.admitted) return deniedCall(admission.denial);
  const { permit } = admission;
  const { signal, end } = underWay(binding, frame, request);
  let result: unknown;
  try {
    result = await within(executing(frame, permit, request), () => execute(permit.args, signal));
  } catch (error) {
    await permit.settle(binding.gate.outcomeOfThrow(permit.tool), error);
    throw error;
  } finally {
    end();
  }
  await permit.settle("succeeded", result);
  return noted(permit, result);
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
  execute: (args: unknown, signal: AbortSignal) => AsyncIterable<unknown>,
): AsyncGenerator<unknown, unknown> {
  const under = binding.session ?? session();
  if (under !== undefined) {
    yield recordedResult(under, binding, request);
    return undefined;
  }
  const { frame, admission } = await admitTool(binding, bound, request);
  if (!admission.admitted) {
    yield deniedCall(admission.denial);
    return undefined;
  }
  const { permit } = admission;
  const inside = executing(frame, permit, request);
  const { signal, end } = underWay(binding, frame, request);
  let iterator: AsyncIterator<unknown> | undefined;
  let ended: { readonly last: unknown; readonly value: unknown } | undefined;
  let thrown: { readonly error: unknown } | undefined;
  try {
    const values = within(inside, () => execute(permit.args, signal)[Symbol.asyncIterator]());
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
    end();
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
  if (saysMore(permit)) yield withEditNote(ended.last, permit);
  return ended.value;
}

/**
 * For a framework that has an approval request of its own: true where a person has to be asked and has not answered in
 * time. The call then stands in the store, and is taken up from the message history. What was decided meanwhile is kept
 * for the execution that follows at once.
 */
export async function asksPerson(binding: Binding, bound: Frame | undefined, request: ToolRequest): Promise<boolean> {
  if ((binding.session ?? session()) !== undefined) return false;
  if (binding.maxWaitMs === undefined || request.toolCallId === undefined) return false;
  // Asked before: a framework that looks again takes a call up only where a person still has to be asked. The gate decides.
  if (request.resumed) return true;
  const admitted = await admitTool(binding, bound, request);
  if (!admitted.admission.admitted && isPending(admitted.admission.denial)) return true;
  hold(bound ?? currentFrame() ?? binding, request, admitted);
  return false;
}

async function admitTool(binding: Binding, bound: Frame | undefined, request: ToolRequest): Promise<Admitted> {
  const held = takeHeld(bound ?? currentFrame() ?? binding, request);
  if (held !== undefined) return startable(binding, held, request);
  const { frame, key, ids } = await placeOf(binding, bound, request);
  const run = runOf(binding, frame);
  const { tool, args, signal } = request;
  const admission = await binding.gate.admit(run, {
    tool,
    args,
    ...(key === undefined ? {} : { key }),
    ...(signal === undefined ? {} : { signal }),
    ...(binding.maxWaitMs === undefined ? {} : { maxWaitMs: binding.maxWaitMs }),
  });
  if (!admission.admitted && isPending(admission.denial) && key !== undefined)
    await rememberPending(binding.store, ids, { run: run.id, key });
  return { frame, admission };
}

/** What was let go a while ago starts only if nobody has stopped it since. */
async function startable(binding: Binding, admitted: Admitted, { tool }: ToolRequest): Promise<Admitted> {
  const { frame, admission } = admitted;
  if (!admission.admitted) return admitted;
  const { permit } = admission;
  const { agent, runs } = runOf(binding, frame);
  const refusal = await stopsInForce(binding.store).then(
    (stops) => {
      const stop = stops.find((one) => coversCall(one.scope, { agent, tool, runs }));
      return stop && { rule: stopRule(stop.scope), reason: `stopped by an operator: ${stop.reason}` };
    },
    () => ({ rule: "record.unavailable", reason: "the stops in force could not be read, so the call did not run" }),
  );
  if (refusal === undefined) return admitted;
  const { rule, reason } = refusal;
  // Where even this cannot be recorded its outcome is unknown, and it does not run all the same.
  await permit.settle("failed", reason).catch(() => undefined);
  const denial = { status: "denied", callId: permit.callId, tool, rules: [rule], reason, retry: false } as const;
  return { frame, admission: { admitted: false, denial } };
}

interface Place {
  readonly frame: Frame;
  readonly key: string | undefined;
  /** By which the call is found again, should it be answered `pending`. */
  readonly ids: readonly string[];
}

/** Which run a call belongs to and what it is called there, also where it was asked about before. */
async function placeOf(binding: Binding, bound: Frame | undefined, request: ToolRequest): Promise<Place> {
  const { store, random, hash } = binding;
  const around = toolFrame(binding, bound);
  const { toolCallId, resumed } = request;
  const resume = toolCallId === undefined ? undefined : resumeId(binding, around, toolCallId);
  if (resumed && toolCallId !== undefined && resume !== undefined) {
    const known = await findTaken(store, resume);
    const frame = known ? continuedFrame(around, known.run) : resumedFrame(around, toolCallId, binding);
    return { frame, key: known?.key ?? keyOf(frame, toolCallId, hash), ids: [resume] };
  }
  const own = keyOf(around, toolCallId, hash);
  if (binding.maxWaitMs === undefined) return { frame: around, key: own, ids: [] };
  const again = againId(binding, runOf(binding, around), request);
  const known = again === undefined ? undefined : await findPending(store, again);
  const key = known?.key ?? own ?? `once/${toHex(random.bytes(16))}`;
  return { frame: around, key, ids: [again, resume].filter((id) => id !== undefined) };
}

/** What the caller was given then; the tool itself is not asked. */
function recordedResult(under: Session, { gate }: Binding, { tool, args }: ToolRequest): unknown {
  const answer = take(under, (answers) => answers.tool({ tool, args }));
  switch (answer.type) {
    case "denied":
      return deniedCall(answer.denial);
    case "threw":
      throw recordedError(answer);
    case "result": {
      if (answer.note === null) return answer.value;
      const told = toldOf({ boundPaths: (name) => gate.boundPaths(name) }, { tool, args: answer.ran });
      return withEditNote(answer.value, { ...answer.note, told });
    }
  }
}

function executing(frame: Frame, permit: Permit, { toolCallId }: ToolRequest): Frame {
  return { ...frame, parent: frame, call: { id: permit.callId, toolCallId } };
}

function noted(permit: Permit, result: unknown): unknown {
  return saysMore(permit) ? withEditNote(result, permit) : result;
}

function saysMore({ edited, changed, notes }: Permit): boolean {
  return edited || changed || notes.length > 0;
}

/** The signal of a call that has started: its caller's, and that of a stop. */
function underWay(binding: Binding, frame: Frame, { tool, signal }: ToolRequest): ReturnType<typeof inFlight> {
  const { agent, runs } = runOf(binding, frame);
  return inFlight(binding.store, { agent, tool, runs }, signal);
}
