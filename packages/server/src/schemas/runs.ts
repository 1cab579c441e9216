import { z } from "@hono/zod-openapi";
import type { RunTree, Totals, WhatIfCall, Wire } from "@saferun/core";
import { PolicyText } from "./policies.ts";
import { Id, Moment } from "./values.ts";

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

const RunSummary = z
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
    /** What its models cost, in millionths of a dollar; null where nobody knows. */
    usd_micros: z.string().nullable(),
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

/** Decisions that come out otherwise under other policies; nothing is run or recorded. */
export const WhatIf = z
  .object({
    revision: z.string(),
    judged: z.number().int(),
    changes: z.array(
      z.custom<Wire<WhatIfCall> & { readonly step: number | null }>(() => true).openapi({ type: "object" }),
    ),
    /** Calls that cannot be judged again, and why. */
    not_reproducible: z.array(
      z.object({ tool: z.string(), why: z.enum(["malformed", "erased", "masked", "incomplete"]) }),
    ),
  })
  .openapi("WhatIf");

/** The run's calls as a policy test that passes under the policies in force. */
export const RunTest = z
  .object({
    text: z.string(),
    calls: z.number().int(),
    /** Calls that are no part of it: masked, erased, malformed, or of another agent or principal than the first. */
    left: z.number().int(),
  })
  .openapi("RunTest");

const Place = z.object({
  number: z.number().int(),
  kind: z.enum(["call", "model"]),
  /** Of the tool or the model. */
  name: z.string(),
  seq: z.number().int(),
});

export const Comparison = z
  .object({
    left: RunSummary,
    right: RunSummary,
    /** They differ in more than cost and time. */
    differs: z.boolean(),
    totals: z
      .custom<{ readonly left: Wire<Totals>; readonly right: Wire<Totals> }>(() => true)
      .openapi({ type: "object" }),
    steps: z.array(
      z.object({
        match: z.enum(["same", "near", "left", "right"]),
        left: Place.nullable(),
        right: Place.nullable(),
        differences: z.array(z.object({ what: z.string(), left: z.string(), right: z.string() })),
      }),
    ),
  })
  .openapi("Comparison");
