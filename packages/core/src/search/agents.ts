/** Agents by their names, where headers hold ids: in queries, and for whoever shows who did something. */
import { AGENT_PART, agentId, isAgentId } from "../log/agent-id.ts";
import type { StoredEntry } from "../log/entry.ts";
import type { EntryHeader } from "../log/header.ts";
import type { Hash, LogStore, RunSummary, StateStore } from "../ports.ts";
import { contentOf } from "./content.ts";
import { readableHeader } from "./match.ts";
import { fits, type Pattern, type Query } from "./query.ts";

/** The name that a run's start gives its agent beside the id; undefined for other entries, and where it is gone. */
export function agentNameIn(
  { parts }: Pick<StoredEntry, "parts">,
  { type, agent }: Pick<EntryHeader, "type" | "agent">,
): { readonly id: string; readonly name: string } | undefined {
  const part = type === "run.started" ? parts.find(({ name }) => name === AGENT_PART) : undefined;
  const name = part === undefined ? undefined : contentOf(part);
  return agent !== undefined && typeof name === "string" ? { id: agent, name } : undefined;
}

/**
 * The query with every agent that it names also by its id, which is what headers hold of a name that is not plain.
 * @param known Such names, for patterns with `*`.
 */
export function withAgentIds(query: Query, known: () => readonly string[], hash: Hash): Query {
  switch (query.kind) {
    case "and":
    case "or":
      return { ...query, of: query.of.map((part) => withAgentIds(part, known, hash)) };
    case "not":
      return { ...query, of: withAgentIds(query.of, known, hash) };
    case "name":
      return query.field === "agent" ? { ...query, pattern: withIds(query.pattern, known, hash) } : query;
    default:
      return query;
  }
}

function withIds(pattern: Pattern, known: () => readonly string[], hash: Hash): Pattern {
  const names = "exact" in pattern ? [pattern.exact] : known().filter((name) => fits(pattern, name));
  const ids = names.map((name) => agentId(name, hash)).filter((id) => !fits(pattern, id));
  return ids.length === 0 ? pattern : { ...pattern, or: new Set(ids) };
}

/** `agentName`: the agent's name; where the log does not tell it, its id. */
export type NamedRun = RunSummary & { readonly agentName: string };

/** Names behind ids, as far as the log tells them. Kept in memory, never evidence. */
export class AgentNames {
  readonly #names = new Map<string, string>();

  /** Learns from the starts of runs; other entries say nothing. */
  see(entry: Pick<StoredEntry, "parts">, header: Pick<EntryHeader, "type" | "agent">): void {
    const named = agentNameIn(entry, header);
    if (named !== undefined) this.#names.set(named.id, named.name);
  }

  /** Undefined where none is known. A plain name is its own. */
  known(id: string): string | undefined {
    return isAgentId(id) ? this.#names.get(id) : id;
  }

  /** The same; where nobody has met it yet its run is asked. `run`: one of that agent. */
  async find(id: string, run: string, store: Pick<LogStore, "entries">): Promise<string | undefined> {
    // Mostly the first entry says it; a sub-agent in its caller's run begins further behind.
    for (const limit of [1, STARTS]) {
      const known = this.known(id);
      if (known !== undefined) return known;
      for (const entry of await store.entries({ from: 0, limit, run })) {
        const header = readableHeader(entry);
        if (header !== undefined) this.see(entry, header);
      }
    }
    return this.known(id);
  }

  /** Runs with their agents' names; where one is not known, its id. */
  async named(runs: readonly RunSummary[], store: Pick<LogStore, "entries">): Promise<readonly NamedRun[]> {
    const named: NamedRun[] = [];
    for (const run of runs) named.push({ ...run, agentName: (await this.find(run.agent, run.id, store)) ?? run.agent });
    return named;
  }
}

/** Entries of a run that are looked through for the start of its sub-agents. */
const STARTS = 1_000;

/**
 * The name of the agent that a person means, who may have found it under its id: stops know agents by their names.
 * Undefined: it is an id, and the log no longer tells whose.
 */
export async function agentMeant(
  said: string,
  store: Pick<LogStore, "entries"> & Pick<StateStore, "runs">,
  hash: Hash,
): Promise<string | undefined> {
  if (!isAgentId(said)) return said;
  const run = (await store.runs({ limit: MOST_RUNS })).find(({ agent }) => agent === said);
  // Nobody's id: the name of one that calls itself like that.
  if (run === undefined) return said;
  const name = await new AgentNames().find(said, run.id, store);
  // A name with a mask in it is not the one that calls are made under.
  return name !== undefined && agentId(name, hash) === said ? name : undefined;
}

const MOST_RUNS = 10_000;
