/** One agent execution: whose it is, what the host states about it, and what the gate has recorded of it so far. */
import type { EvaluationContext, Principal } from "../decision.ts";
import { agentId } from "../log/agent-id.ts";
import type { Clock, Hash, Random } from "../ports.ts";
import type { JsonObject } from "../value/json.ts";
import { type Beginning, beginning, newId } from "./record.ts";

/** From the host only. What an agent claims about itself is no part of it. */
export interface RunOptions {
  /** Default: a fresh random id. */
  readonly id?: string;
  readonly agent: string;
  readonly environment: string;
  readonly principal?: Principal;
  /** The principal who answers for the agent. Absent: nobody. */
  readonly owner?: string;
  /** What the application states about this run; `context.*` in conditions. */
  readonly context?: JsonObject;
  /** The person's own words, one text a turn. Absent: the run is not `prompted`. */
  readonly prompt?: readonly string[];
  /** Of sub-agents: 0 for a root run. Default: one more than the parent's. */
  readonly depth?: number;
  /** The run that started this one under another id: it spends from its parent's budgets and shares its loop history. */
  readonly parent?: Pick<Run, "root" | "runs" | "depth">;
  /** The call in whose execution this run, or this part of it, happens. */
  readonly within?: string;
}

export const NOBODY: Principal = Object.freeze({
  id: "",
  kind: "none",
  roles: Object.freeze([]),
  labels: Object.freeze({}),
});

/** Mutable only in `turn`, `unwritten`, `messages` and `prompt`, and only by the gate. */
export interface Run {
  readonly id: string;
  /** Its name, whatever that is: what rules, stops, grants and rows know it by. */
  readonly agent: string;
  /** What stands for the name in headers. */
  readonly agentId: string;
  readonly environment: string;
  readonly principal: Principal;
  /** Empty: nobody. */
  readonly owner: string;
  readonly context: JsonObject;
  readonly prompted: boolean;
  /** Of sub-agents: 0 for a root run. */
  readonly depth: number;
  /** Id of the run at the top; its own for a root run. */
  readonly root: string;
  /** Its own id, then those of the runs that started it, up to the root. */
  readonly runs: readonly string[];
  /** The call in whose execution it happens. Absent: nobody's. */
  readonly within?: string;
  /** Model turns so far; the step that entries of the present turn carry. */
  turn: number;
  /** Entries that wait for the run's first commit, so that an idle run leaves no trace. */
  unwritten: readonly Beginning[];
  /** Message digest → commitment of the part that holds it: a prompt's history is stored once. */
  readonly messages: Map<string, string>;
  /** The latest prompt: the commitment of its part, and those of all its messages. */
  prompt: { readonly commitment: string; readonly messages: readonly string[] } | null;
}

/** In memory: it is recorded with its first entry. */
export function openedRun(
  options: RunOptions,
  { clock, hash, random }: { readonly clock: Clock; readonly hash: Hash; readonly random: Random },
): Run {
  const { agent, environment, principal = NOBODY, owner = "", context = {}, prompt, parent, within } = options;
  const depth = options.depth ?? (parent === undefined ? 0 : parent.depth + 1);
  const id = options.id ?? newId("run", random, clock.now());
  const prompted = prompt !== undefined;
  const around = within === undefined ? {} : { within };
  const tree = { root: parent?.root ?? id, runs: [id, ...(parent?.runs ?? [])], ...around };
  const named = { agent, agentId: agentId(agent, hash) };
  const fixed = { id, ...tree, ...named, environment, principal, owner, context, prompted, depth };
  const run: Run = { ...fixed, turn: 0, unwritten: [], messages: new Map(), prompt: null };
  run.unwritten = [beginning(run, prompt, random)];
  return run;
}

export function contextOf(run: Run, callId: string, attempt: number, now: number): EvaluationContext {
  return {
    agent: run.agent,
    environment: run.environment,
    principal: run.principal,
    context: run.context,
    run: { id: run.id, prompted: run.prompted, untrusted: false, turn: run.turn },
    call: { id: callId, depth: run.depth, attempt },
    now,
  };
}
