/**
 * What the log says of runs, agents and tools, counted from its headers: derived, kept in memory, never evidence.
 * Each look reads what came since the one before. Of a large log only the newest entries are counted.
 */
import {
  AgentNames,
  type Clock,
  contentOf,
  type EntryHeader,
  type LogStore,
  readableHeader,
  type StoredEntry,
} from "@saferun/core";
import { createRunActivity, none, type RunSeen } from "./run-activity.ts";

export interface CallCounts {
  calls: number;
  allowed: number;
  denied: number;
  paused: number;
  failed: number;
  unknown: number;
}

export interface Seen {
  first: number;
  last: number;
  readonly counts: CallCounts;
}

export interface AgentSeen extends Seen {
  /** As headers name it. */
  readonly agent: string;
  readonly environment: string;
  readonly runs: Set<string>;
  readonly tools: Map<string, Seen>;
}

interface OpenCall {
  /** Its outcome's header names it, its decision's does not. */
  readonly tool: string;
  readonly verdicts: Set<keyof CallCounts>;
}

export interface Activity {
  /** Brings the counts up to the log's end. */
  look(): Promise<void>;
  /** Undefined where the run began before what is counted. */
  run(id: string): RunSeen | undefined;
  /** Rules that have spoken, in the order in which they were met; the first of very many. */
  rules(): readonly string[];
  agents(): readonly AgentSeen[];
  /** Of agents that headers name by ids, as far as the log was read. */
  readonly names: AgentNames;
  /** Entries that are counted, `from` inclusive to `to` exclusive. */
  range(): { readonly from: number; readonly to: number };
}

const PAGE = 1_000;
/** How far back the first look goes: half a second of one processor. */
const MOST_ENTRIES = 50_000;
/** Calls that are not over, of which the oldest are forgotten, and rules, of which the first are kept. */
const MOST_OPEN = 10_000;
const MOST_RULES = 500;

export function createActivity(store: LogStore, clock: Pick<Clock, "sleep">): Activity {
  const runs = createRunActivity();
  const agents = new Map<string, AgentSeen>();
  const rules = new Set<string>();
  const names = new AgentNames();
  /** Calls that are not over. */
  const open = new Map<string, OpenCall>();
  let from = -1;
  let to = 0;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const { size } = await store.head();
    if (from === -1) {
      from = Math.max(0, size - MOST_ENTRIES);
      to = from;
    }
    while (to < size) {
      const entries = await store.entries({ from: to, limit: Math.min(PAGE, size - to) });
      if (entries.length === 0) return;
      for (const entry of entries) {
        const header = readableHeader(entry);
        if (header !== undefined) {
          names.see(entry, header);
          runs.see(entry, header, count(header, entry));
        }
        to = entry.seq + 1;
      }
      // Whoever asks for something else meanwhile does not wait for all of it.
      if (to < size) await clock.sleep(0);
    }
  }

  /** What the entry adds; undefined: nothing. */
  function count(header: EntryHeader, entry: StoredEntry) {
    const { type, run, call } = header;
    for (const rule of header.rules ?? []) if (rules.size < MOST_RULES) rules.add(rule);
    const tool = header.tool ?? oddName(entry);
    if (call !== undefined && tool !== undefined && !open.has(call)) begin(call, tool);
    const change = changeOf(header);
    if (call === undefined || change === undefined) return undefined;
    const known = open.get(call);
    if (type === "call.decided" && known !== undefined) {
      // Judged again after an answer it is the same call: twice paused is once.
      if (known.verdicts.has(change)) return undefined;
      known.verdicts.add(change);
    }
    const name = tool ?? known?.tool ?? "(no name)";
    if (type === "call.finished" || type === "call.lost" || change === "denied") open.delete(call);
    const seen = agentOf(header);
    if (seen !== undefined) {
      touch(seen, header.time, change);
      touch(toolOf(seen, name, header.time), header.time, change);
      if (run !== undefined) seen.runs.add(run.id);
    }
    return { change, tool: name };
  }

  function begin(call: string, tool: string): void {
    open.set(call, { tool, verdicts: new Set() });
    const [oldest] = open.keys();
    if (open.size > MOST_OPEN && oldest !== undefined) open.delete(oldest);
  }

  function agentOf({ agent, environment = "", time }: EntryHeader): AgentSeen | undefined {
    if (agent === undefined) return undefined;
    const key = `${agent}\n${environment}`;
    const found = agents.get(key);
    if (found !== undefined) return found;
    const made = {
      agent,
      environment,
      first: time,
      last: time,
      counts: none(),
      runs: new Set<string>(),
      tools: new Map(),
    };
    agents.set(key, made);
    return made;
  }

  return {
    look() {
      // One at a time: two readers would count an entry twice.
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    names,
    run: (id) => runs.get(id),
    rules: () => [...rules],
    agents: () => [...agents.values()].sort((left, right) => right.last - left.last),
    range: () => ({ from: Math.max(from, 0), to }),
  };
}

/** A name that is free text stands in a part of its own. */
function oddName({ parts }: StoredEntry): string | undefined {
  const part = parts.find(({ name }) => name === "tool");
  const name = part === undefined ? undefined : contentOf(part);
  return typeof name === "string" ? name : undefined;
}

function toolOf(agent: AgentSeen, name: string, time: number): Seen {
  const found = agent.tools.get(name);
  if (found !== undefined) return found;
  const made = { first: time, last: time, counts: none() };
  agent.tools.set(name, made);
  return made;
}

function touch(seen: Seen, time: number, change: keyof CallCounts): void {
  seen.last = Math.max(seen.last, time);
  add(seen.counts, change);
}

/** A call is counted once it is decided; its outcome adds to what was decided. */
function changeOf({ type, verdict, outcome }: EntryHeader): keyof CallCounts | undefined {
  if (type === "call.proposed") return "calls";
  if (type === "call.decided") return verdict === undefined ? undefined : VERDICT_COUNTS[verdict];
  if (type === "call.lost") return "unknown";
  if (type === "call.finished") return outcome === "failed" || outcome === "unknown" ? outcome : undefined;
  return undefined;
}

const VERDICT_COUNTS = { allow: "allowed", deny: "denied", pause: "paused" } as const;

function add(counts: CallCounts, key: keyof CallCounts): void {
  counts[key]++;
}
