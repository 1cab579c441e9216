/**
 * What the log says of each run, beside what its row in the store holds: how many calls came to what, which tools they
 * called, for whom, and what goes on. Bounded: of very many runs the newest, of each run the first tools.
 */
import { contentOf, type EntryHeader, type Json, type StoredEntry } from "@saferun/core";
import type { CallCounts } from "./activity.ts";

export interface RunSeen {
  readonly counts: CallCounts;
  /** What its models cost, in millionths of a dollar; undefined where nobody knows of any. */
  readonly usdMicros: bigint | undefined;
  /** For whom it acts; null where the log does not say it in the clear. */
  readonly principal: string | null;
  /** Tools by how often they were called, in the order of their first calls. */
  readonly tools: ReadonlyMap<string, number>;
  /** Tools beyond those. */
  readonly moreTools: boolean;
  /** The opening of the store that its agent wrote with last. */
  readonly writer: string;
  /** Calls of tools and of models that have begun and not ended. */
  readonly open: ReadonlySet<string>;
}

export interface RunActivity {
  /** Every entry, in order. `change`: what the entry adds to the counts of `tool`'s calls. */
  see(entry: StoredEntry, header: EntryHeader, counted?: Counted): void;
  /** Undefined where the run began before what is counted, or is too old to be kept. */
  get(id: string): RunSeen | undefined;
}

export interface Counted {
  readonly change: keyof CallCounts;
  readonly tool: string;
}

interface Kept extends RunSeen {
  usdMicros: bigint | undefined;
  readonly tools: Map<string, number>;
  moreTools: boolean;
  writer: string;
  readonly open: Set<string>;
}

/** As many as a list reaches back to. */
export const MOST_RUNS = 10_000;
const MOST_TOOLS = 32;
const MOST_OPEN = 256;
const LONGEST_NAME = 256;

export function createRunActivity(): RunActivity {
  const runs = new Map<string, Kept>();

  function begin(id: string, entry: StoredEntry, { writer }: EntryHeader): Kept {
    const seen: Kept = {
      counts: none(),
      usdMicros: undefined,
      principal: principalOf(entry),
      tools: new Map(),
      moreTools: false,
      writer: writer.id,
      open: new Set(),
    };
    runs.set(id, seen);
    for (const oldest of runs.keys()) {
      if (runs.size <= MOST_RUNS) break;
      runs.delete(oldest);
    }
    return seen;
  }

  return {
    see(entry, header, counted) {
      const { type, run, writer } = header;
      if (run === undefined) return;
      const seen = runs.get(run.id) ?? (type === "run.started" ? begin(run.id, entry, header) : undefined);
      if (seen === undefined) return;
      if (counted !== undefined) count(seen, counted);
      if (BY_AGENT.test(type)) seen.writer = writer.id;
      follow(seen, header);
      if (MODEL_ENDS.includes(type)) {
        const micros = usdMicrosOf(entry);
        if (micros !== undefined) seen.usdMicros = (seen.usdMicros ?? 0n) + micros;
      }
    },
    get: (id) => runs.get(id),
  };
}

/** Written by the process in which the agent runs; answers and sweepings are written by others. */
const BY_AGENT =
  /^(?:run\.started|model\.(?:requested|responded|failed)|call\.(?:proposed|decided|executing|finished))$/;
const MODEL_ENDS: readonly string[] = ["model.responded", "model.failed", "model.lost"];

function count(seen: Kept, { change, tool }: Counted): void {
  seen.counts[change]++;
  if (change !== "calls") return;
  if (seen.tools.has(tool) || seen.tools.size < MOST_TOOLS) seen.tools.set(tool, (seen.tools.get(tool) ?? 0) + 1);
  else seen.moreTools = true;
}

function follow({ open }: Kept, { type, call, model }: EntryHeader): void {
  switch (type) {
    case "call.executing":
      if (call !== undefined && open.size < MOST_OPEN) open.add(call);
      return;
    case "call.finished":
    case "call.lost":
      open.delete(call ?? "");
      return;
    case "model.requested":
      if (model !== undefined && open.size < MOST_OPEN) open.add(model);
      return;
    case "model.responded":
    case "model.failed":
    case "model.refused":
    case "model.lost":
      open.delete(model ?? "");
      return;
    default:
      return;
  }
}

/** Of the part in which the run's start says who it is for. */
function principalOf({ parts }: StoredEntry): string | null {
  const part = parts.find(({ name }) => name === "context");
  const principal = member(part === undefined ? undefined : contentOf(part), "principal");
  const id = member(principal, "id");
  return typeof id === "string" && id !== "" ? id.slice(0, LONGEST_NAME) : null;
}

function usdMicrosOf({ parts }: StoredEntry): bigint | undefined {
  const part = parts.find(({ name }) => name === "spend");
  const text = member(part === undefined ? undefined : contentOf(part), "usd_micros");
  return typeof text === "string" && /^\d{1,30}$/.test(text) ? BigInt(text) : undefined;
}

function member(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return (value as Readonly<Record<string, Json>>)[name];
}

export function none(): CallCounts {
  return { calls: 0, allowed: 0, denied: 0, paused: 0, failed: 0, unknown: 0 };
}
