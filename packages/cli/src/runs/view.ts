/** The list of runs: for a terminal, and as JSON with moments in ISO 8601. */
import { type JsonObject, type NamedRun, spanText } from "@saferun/core";
import { iso } from "@saferun/server/wire";
import { shortIds } from "../output/ids.ts";
import { printable, short } from "../output/printable.ts";
import type { Style } from "../output/style.ts";
import { table } from "../output/table.ts";
import { moment } from "../output/time.ts";

export function runListLines(runs: readonly NamedRun[], style: Style): string[] {
  const shown = shortIds(runs.map(({ id }) => id));
  const rows = runs.map((run) => [
    printable(shown(run.id)),
    moment(run.startedAt),
    spanText(run.lastAt - run.startedAt),
    short(run.agentName, 32),
    short(run.environment, 16),
    String(run.entries),
  ]);
  return table([["RUN", "STARTED", "LASTED", "AGENT", "ENVIRONMENT", "ENTRIES"].map(style.dim), ...rows]);
}

export function runJson(run: NamedRun): JsonObject {
  return {
    id: run.id,
    agent: run.agentName,
    agent_id: run.agent,
    environment: run.environment,
    entries: run.entries,
    started_at: iso(run.startedAt),
    last_at: iso(run.lastAt),
  };
}
