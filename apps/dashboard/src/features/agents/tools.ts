/** The tools of one agent: those it called, those it may call and never did, and those that it may not. */
import type { api, ask } from "../../api/client.ts";

export type Agents = Awaited<ReturnType<typeof ask<Awaited<ReturnType<typeof api.agents.$get>>>>>;
export type Access = Awaited<ReturnType<typeof ask<Awaited<ReturnType<typeof api.access.$get>>>>>;
export type Agent = Agents["agents"][number];
export type Answers = Access["access"][number]["answers"];

export interface ToolLine {
  readonly tool: string;
  /** Absent: no policy declares it. */
  readonly kind: string | undefined;
  /** Absent: never called. */
  readonly called: Agent["tools"][number] | undefined;
  /** Absent: not known yet, or of an agent that was not asked about. */
  readonly answers: Answers | undefined;
}

/** By tool. */
export function answersBy({ access }: Access, { agent, environment }: Agent): ReadonlyMap<string, Answers> {
  return new Map(
    access
      .filter((one) => one.agent === agent && one.environment === environment)
      .map(({ tool, answers }) => [tool, answers]),
  );
}

export interface ToolGroups {
  readonly called: readonly ToolLine[];
  /** Some call of it would run or ask, and none was made: more than this agent needed so far. */
  readonly unused: readonly ToolLine[];
  readonly denied: readonly ToolLine[];
}

export function toolGroups(
  { tools }: Agent,
  declared: Agents["declared"],
  answers: ReadonlyMap<string, Answers> | undefined,
): ToolGroups {
  const kinds = new Map(declared.map(({ tool, kind }) => [tool, kind]));
  const called = new Map(tools.map((one) => [one.tool, one]));
  const names = new Set([...called.keys(), ...kinds.keys(), ...(answers?.keys() ?? [])]);
  const lines = [...names].map((tool): ToolLine => {
    return { tool, kind: kinds.get(tool), called: called.get(tool), answers: answers?.get(tool) };
  });
  const never = lines.filter((line) => line.called === undefined);
  return {
    called: lines.filter((line) => line.called !== undefined),
    // What is not known to be denied is shown among what may run.
    unused: never.filter((line) => !isDenied(line)),
    denied: never.filter(isDenied),
  };
}

function isDenied({ answers }: ToolLine): boolean {
  return answers?.every(({ verdict }) => verdict === "deny") === true;
}
