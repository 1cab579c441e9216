/** Names of agents that stand in headers by ids: the starts of a run tell them. */
import { AGENT_PART } from "../log/agent-id.ts";
import { type RecordedEntry, shownValue, textOf } from "./content.ts";

/** Id → name. Without those whose names are plain, which stand for themselves. */
export function agentNamesIn(entries: readonly RecordedEntry[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { header, part } of entries) {
    const name = header.type === "run.started" ? textOf(shownValue(part(AGENT_PART))) : null;
    if (header.agent !== undefined && name !== null) names.set(header.agent, name);
  }
  return names;
}

/** Who made them: the first that any of them names, by its name where that is known. */
export function agentOf(entries: readonly RecordedEntry[], names: ReadonlyMap<string, string>): string | null {
  const id = entries.find(({ header }) => header.agent !== undefined)?.header.agent;
  return id === undefined ? null : (names.get(id) ?? id);
}
