/** Which run a call belongs to: carried along the asynchronous path, or bound to the call of an agent. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Hash, Random, Run, RunOptions, Store } from "@saferun/core";
import { toHex } from "@saferun/core";
import type { Binding } from "./binding.ts";
import type { CheckedFacts } from "./run-facts.ts";

/** A run before any gate has opened it: each store that takes part opens it once, with the same id. */
export interface Scope {
  readonly id: string;
  readonly facts: CheckedFacts;
  readonly runs: Map<Store, Map<string, Run>>;
  /** Of a run that was opened inside a tool or taken up from a message history: the one around it. */
  readonly parent?: Scope;
  /** The call of the run around in whose execution this one was opened. */
  readonly within?: string;
}

/** One level of nesting: an agent's call, or a tool's execution within it. */
export interface Frame {
  readonly scope: Scope;
  /** 0 for the root agent, one more for each agent called inside a tool. */
  readonly depth: number;
  readonly agent?: string | undefined;
  readonly parent?: Frame;
  /** The tool call that is being executed in this frame. */
  readonly call?: { readonly id: string; readonly toolCallId: string | undefined };
}

const storage = new AsyncLocalStorage<Frame>();

export function currentFrame(): Frame | undefined {
  return storage.getStore();
}

export function within<Result>(frame: Frame, body: () => Result): Result {
  return storage.run(frame, body);
}

export function newScope(facts: CheckedFacts, random: Random): Scope {
  return { id: facts.id ?? `run_${toHex(random.bytes(16))}`, facts, runs: new Map() };
}

/** The frame of an agent's call: a run of its own, or its caller's run; inside a tool, one level deeper. */
export function agentFrame(binding: Binding, around: Frame | undefined = currentFrame()): Frame {
  const { agent } = binding;
  if (around === undefined) return { scope: newScope(binding.facts(), binding.random), depth: 0, agent };
  const depth = around.call === undefined ? around.depth : around.depth + 1;
  return { scope: around.scope, depth, agent: agent ?? around.agent, parent: around };
}

/**
 * The frame of a tool call. Streams lose the asynchronous context, so an agent's tools are bound to its call; a frame of
 * the context wins only where it lies inside the bound one (a tool that calls a tool).
 */
export function toolFrame(binding: Binding, bound: Frame | undefined): Frame {
  const around = currentFrame();
  if (bound === undefined) return around ?? agentFrame(binding, undefined);
  for (let frame = around; frame !== undefined; frame = frame.parent) if (frame === bound) return around ?? bound;
  return bound;
}

/** The run that this gate's store knows the frame by; opened at its first use. */
export function runOf(binding: Binding, frame: Frame): Run {
  const { scope, depth } = frame;
  const agent = binding.agent ?? frame.agent ?? scope.facts.agent ?? "agent";
  const { environment } = binding;
  const runs = scope.runs.get(binding.store) ?? new Map<string, Run>();
  scope.runs.set(binding.store, runs);
  const call = callAround(frame);
  const key = JSON.stringify([agent, environment, depth]);
  const known = runs.get(key);
  if (known !== undefined) return known.within === call ? known : partOf(known, call, runs, key);
  const { principal, context, prompt } = scope.facts;
  const said = {
    ...(prompt === undefined ? {} : { prompt }),
    ...(binding.owner === undefined ? {} : { owner: binding.owner }),
  };
  const parent = parentOf(scope, depth);
  const place = { ...(parent === undefined ? {} : { parent }), ...(call === undefined ? {} : { within: call }) };
  const opened = binding.gate.openRun({
    id: scope.id,
    agent,
    environment,
    principal,
    context,
    depth,
    ...place,
    ...said,
  });
  const [first] = runs.values();
  const run = first === undefined ? opened : sharing(opened, first);
  runs.set(key, run);
  return run;
}

/** The call in whose execution this happens: a tool's that calls tools, or one that has called a sub-agent. */
function callAround({ scope, ...frame }: Frame): string | undefined {
  for (let outer: Omit<Frame, "scope"> | undefined = frame; outer !== undefined; outer = outer.parent) {
    if (outer.call !== undefined) return outer.call.id;
  }
  return scope.within;
}

/** The same agent's run, as far as it happens within another call: its start is recorded already, its prompt is its own. */
function partOf(known: Run, call: string | undefined, runs: Map<string, Run>, key: string): Run {
  const name = JSON.stringify([key, call ?? null]);
  const made = runs.get(name);
  if (made !== undefined) return made;
  const { within: _, ...rest } = known;
  const part = sharing({ ...rest, ...(call === undefined ? {} : { within: call }), prompt: null }, known);
  const written: Run = Object.defineProperty(part, "unwritten", {
    get: () => known.unwritten,
    set: (entries: Run["unwritten"]) => {
      known.unwritten = entries;
    },
  });
  runs.set(name, written);
  return written;
}

/** The runs around a run: it shares their root's budgets and loop history. */
function parentOf({ parent }: Scope, depth: number): RunOptions["parent"] {
  if (parent === undefined) return undefined;
  const runs: string[] = [];
  for (let outer: Scope | undefined = parent; outer !== undefined; outer = outer.parent) runs.push(outer.id);
  return { root: runs.at(-1) ?? parent.id, runs, depth: depth - 1 };
}

/** A sub-agent counts its turns in its parent's run and stores no message a second time. */
function sharing(opened: Run, first: Run): Run {
  return {
    ...opened,
    messages: first.messages,
    get turn() {
      return first.turn;
    },
    set turn(turn: number) {
      first.turn = turn;
    },
  };
}

/**
 * A framework's call id within the run, for one principal: an approval that was asked for in one's name is not used in
 * another's, whoever takes up the run. A sub-agent's ids are its own; a tool that hands its own id on to another tool (code
 * mode does) names no call by it. A digest: the call keeps it when the principal is erased.
 */
export function keyOf(frame: Frame, toolCallId: string | undefined, hash: Hash): string | undefined {
  const named = callName(frame, toolCallId);
  if (named === undefined) return undefined;
  return `tool-call/${digest(`saferun/tool-call/v1\u0000${JSON.stringify([frame.scope.facts.principal.id, named])}`, hash)}`;
}

function callName(frame: Frame, toolCallId: string | undefined): string | undefined {
  if (toolCallId === undefined) return undefined;
  for (let outer: Frame | undefined = frame; outer !== undefined; outer = outer.parent) {
    if (outer.call !== undefined)
      return outer.call.toolCallId === toolCallId ? undefined : `${outer.call.id}/${toolCallId}`;
  }
  return toolCallId;
}

const encoder = new TextEncoder();

/**
 * A call that the framework takes up again from a message history gets a run whose id depends on that call alone, so that
 * the same history sent twice, to whichever process, is one call and not two. It belongs to the run around it, whose stops,
 * budgets and loop history are its own.
 */
export function resumedFrame(frame: Frame, toolCallId: string, binding: Binding): Frame {
  const agent = binding.agent ?? frame.agent ?? frame.scope.facts.agent ?? "agent";
  const named = JSON.stringify([agent, binding.environment, frame.scope.facts.principal.id, toolCallId]);
  const id = `run_${digest(`saferun/resume/v1\u0000${named}`, binding.hash)}`;
  return { scope: { ...frame.scope, id, runs: new Map(), parent: frame.scope }, depth: frame.depth, agent };
}

/** The run in which a call was asked about goes on, in whichever process. */
export function continuedFrame(frame: Frame, run: string): Frame {
  if (frame.scope.id === run) return frame;
  return { scope: { ...frame.scope, id: run, runs: new Map() }, depth: frame.depth, agent: frame.agent };
}

function digest(text: string, hash: Hash): string {
  return toHex(hash.sha256(encoder.encode(text))).slice(0, 32);
}
