/** Which settings of the detectors hold for which calls. */
import { LOOP_DEFAULTS, type LoopSettings } from "../../detectors.ts";
import type { DetectorScope } from "../policy-set.ts";
import { nameMatcher } from "../scope.ts";
import type { ToolTable } from "../tool-table.ts";
import type { DetectorEntry } from "./model.ts";
import { narrowness } from "./narrowness.ts";

/** A model can make up tools without end; the cache then starts anew. */
const CACHED = 4_096;

export function detectorsOf(
  entries: readonly DetectorEntry[],
  tools: ToolTable,
  environments: ReadonlySet<string>,
): (of: DetectorScope) => LoopSettings {
  if (entries.length === 0) return () => LOOP_DEFAULTS;
  const byWidth = entries.toSorted((a, b) => narrowness(a.scope) - narrowness(b.scope)).map(compiled);
  const bySelection = new Map<string, LoopSettings>();
  const byScope = new Map<string, LoopSettings>();
  const settingsFor = ({ agent, environment, tool }: DetectorScope): LoopSettings => {
    const name = tools.canonical(tool);
    // An undeclared environment has no settings of its own: an entry for one environment may be looser than the defaults.
    const chosen = byWidth.filter(
      (entry) =>
        (entry.tools === null || entry.tools(name)) &&
        (entry.agents === null || entry.agents(agent)) &&
        (entry.environments === null || (environments.has(environment) && entry.environments.has(environment))),
    );
    const selection = chosen.map(({ index }) => index).join(" ");
    const known = bySelection.get(selection) ?? joined(chosen.map(({ settings }) => settings));
    bySelection.set(selection, known);
    return known;
  };
  return (of) => {
    const key = `${of.environment}\u0000${of.agent}\u0000${of.tool}`;
    const known = byScope.get(key);
    if (known !== undefined) return known;
    if (byScope.size >= CACHED) byScope.clear();
    const settings = settingsFor(of);
    byScope.set(key, settings);
    return settings;
  };
}

function compiled({ scope, settings }: DetectorEntry, index: number) {
  return {
    index,
    settings,
    tools: nameMatcher(scope.tools),
    agents: nameMatcher(scope.agents),
    environments: scope.environments === null ? null : new Set(scope.environments),
  };
}

/** The widest first, so that a narrower entry's settings stand. */
function joined(settings: readonly Partial<LoopSettings>[]): LoopSettings {
  return Object.freeze(Object.assign({}, LOOP_DEFAULTS, ...settings) as LoopSettings);
}
