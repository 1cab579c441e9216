/** Whether what a stop names has ever been seen: a mistyped name stops nothing that runs, and looks as if it had. */
import { agentId, breakersOf, nearest, type StopScope, type Store } from "@saferun/core";
import { nodeHash } from "@saferun/store";

/** Rows that are looked through, newest first. */
const MOST = 10_000;

export interface NotSeen {
  readonly what: "agent" | "tool" | "run";
  readonly name: string;
  /** The nearest name of the record. */
  readonly suggestion?: string;
}

/** Names of the scope that nothing in the record has. Tools are known once they have run. */
export async function notSeen(store: Store, { agent, tool, run }: StopScope): Promise<readonly NotSeen[]> {
  const runs = agent === null ? [] : await store.runs({ limit: MOST });
  const tools = tool === null ? [] : await breakersOf(store, MOST);
  // Names that are not plain stand there by their ids.
  const isKnown = agent === null || runs.some((one) => one.agent === agentId(agent, nodeHash));
  const isRun = run === null || (await store.run(run)) !== undefined;
  return [
    ...(isKnown ? [] : missing("agent", agent, new Set(runs.map((one) => one.agent)))),
    ...missing("tool", tool, new Set(tools.filter(({ scope }) => scope === "tool").map(({ name }) => name))),
    ...(run === null || isRun ? [] : [{ what: "run" as const, name: run }]),
  ];
}

function missing(what: "agent" | "tool", name: string | null, known: ReadonlySet<string>): NotSeen[] {
  if (name === null || known.has(name)) return [];
  const suggestion = nearest(name, known);
  return [{ what, name, ...(suggestion === undefined ? {} : { suggestion }) }];
}
