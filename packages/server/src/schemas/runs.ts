import { z } from "@hono/zod-openapi";
import type { RunTree, Wire } from "@saferun/core";
import { Id, JsonValue, Moment } from "./common.ts";
import { PolicyText } from "./policies.ts";

/** How many calls of a run came to what. */
export const Counts = z
  .object({
    calls: z.number().int(),
    allowed: z.number().int(),
    denied: z.number().int(),
    paused: z.number().int(),
    failed: z.number().int(),
    unknown: z.number().int(),
  })
  .openapi("Counts");

export const RunSummary = z
  .object({
    id: Id,
    agent: z.string(),
    environment: z.string(),
    entries: z.number().int(),
    started_at: Moment,
    last_at: Moment,
    /** Questions that wait for a person now. */
    waiting: z.number().int(),
    /** Null where the run is older than what was counted. */
    counts: Counts.nullable(),
  })
  .openapi("RunSummary");

export const RunList = z
  .object({
    runs: z.array(RunSummary),
    /** For the next page; null when there is none. */
    next: z.string().nullable(),
  })
  .openapi("RunList");

/** As the core makes it: its types say what stands in it. */
const Tree = z.custom<Wire<RunTree>>(() => true).openapi({ type: "object", description: "a run tree" });

/** The run as a tree of steps, made from its entries alone. */
export const Run = z.object({ run: RunSummary, tree: Tree }).openapi("Run");

export const WhatIfBody = z.strictObject({ files: z.array(PolicyText).min(1).max(200) }).openapi("WhatIfBody");

/** Calls that other policies would have decided otherwise. */
export const WhatIf = z.object({ revision: z.string(), report: JsonValue }).openapi("WhatIf");
export const Comparison = z.object({ left: RunSummary, right: RunSummary, report: JsonValue }).openapi("Comparison");
