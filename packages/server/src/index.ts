export { createServerApp, type ServerApp } from "./app.ts";
export { erasuresOf, lacksContent } from "./erasures.ts";
export { strictJson } from "./json-body.ts";
export type { ChannelDesk, ExportDesk, Person, PolicyDesk, ReplayDesk, SearchDesk, ServerPorts } from "./ports.ts";
export { type Problem, ProblemError, problem, problemOf } from "./problem.ts";
export type { RunFilter } from "./run-list.ts";
export type { OutlineJson, PromptJson, StepJson } from "./wire/run.ts";
