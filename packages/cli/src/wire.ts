/** Runs as JSON for programs: snake_case, moments in ISO 8601. */
import type { JsonObject, RunSummary } from "@saferun/core";
import { iso } from "@saferun/server/wire";
import type { CallStep, RunStep } from "./runs/steps.ts";

export function runJson(run: RunSummary): JsonObject {
  return {
    id: run.id,
    agent: run.agent,
    environment: run.environment,
    entries: run.entries,
    started_at: iso(run.startedAt),
    last_at: iso(run.lastAt),
  };
}

export function stepJson(step: RunStep): JsonObject {
  return step.kind === "call" ? callJson(step) : { kind: step.kind, at: iso(step.at), seq: step.seq, ...step.content };
}

function callJson(step: CallStep): JsonObject {
  return {
    kind: "call",
    at: iso(step.at),
    seq: step.seq,
    call: step.call,
    tool: step.tool,
    verdict: step.verdict,
    rules: step.rules,
    revision: step.revision,
    reason: step.reason,
    args: step.args,
    ran: step.ran,
    edited: step.edited,
    approval: step.approval,
    outcome: step.outcome,
    result: step.result,
    waited_ms: step.waitedMs,
    executed_ms: step.executedMs,
    events: step.events.map((event) => ({ seq: event.seq, at: iso(event.at), type: event.type })),
  };
}
