import { z } from "@hono/zod-openapi";
import type { Content, RunTree, ToolStep, Totals, TreeStep, WhatIfCall, Wire } from "@saferun/core";
import { HAPPENED } from "../run-list.ts";
import { PolicyText } from "./policies.ts";
import { AgentName, ArgumentUnits, Id, Moment } from "./values.ts";

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
    /** Its name; where the log no longer tells it, its id. */
    agent: z.string(),
    /** What the log's headers call it: the name itself where that is a plain one. */
    agent_id: z.string(),
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
    /** Tools by how often they were called, the first of them; and whether there are more. */
    tools: z.array(z.object({ tool: z.string(), calls: z.number().int() })),
    more_tools: z.boolean(),
    /** Whom it acts for; null where the log does not say it in the clear, or the run is older than what was counted. */
    principal: z.string().nullable(),
    /** A breaker or a person stopped this run, and nobody has let it go on. */
    stopped: z.boolean(),
    /** Calls, turns of a model and questions that go on in a process that is not known to have ended. */
    going_on: z.number().int(),
    /** The process that ran it has surely ended. */
    ended: z.boolean(),
  })
  .openapi("RunSummary");

const Text = z.string().min(1).max(256);

/** All must hold. Tool, principal and most of what happened are known of runs that were counted. */
export const RunFilter = z.object({
  /** Its name or its id. */
  agent: AgentName.optional(),
  environment: Text.optional(),
  tool: Text.optional(),
  principal: Text.optional(),
  happened: z.enum(HAPPENED).optional(),
});

export const RunListQuery = RunFilter.extend({
  /** Only this run and older ones: what is newer moves no page. */
  from: Id.optional(),
  skip: z.coerce.number().int().min(0).max(100_000).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const RunList = z
  .object({
    runs: z.array(RunSummary),
    /** Of all that fit, from `from` on. */
    total: z.number().int(),
    /** That fit and are newer than `from`. */
    newer: z.number().int(),
    /** How many runs are how, under everything that was asked for but `happened`. */
    tally: z.record(z.enum(HAPPENED), z.number().int()),
    /** Where nothing fits: for each part of what was asked, how many there would be without it. */
    without: z.record(z.string(), z.number().int()),
    /** Runs that the list reaches back to, and the entries that were counted; older ones are found by searching the log. */
    reach: z.object({ runs: z.number().int(), whole: z.boolean(), from: z.number().int(), to: z.number().int() }),
  })
  .openapi("RunList");

/** The runs before and behind one among those that fit. */
export const Neighbours = z
  .object({
    newer: z.string().nullable(),
    older: z.string().nullable(),
    /** From 1, the newest first; null where the run does not fit itself. */
    place: z.number().int().nullable(),
    total: z.number().int(),
  })
  .openapi("Neighbours");

export const BundleQuery = z.object({ as: z.enum(["page", "bundle"]).default("page") });

/** As the core makes it: its types say what stands in it. */
const Tree = z.custom<Wire<RunTree>>(() => true).openapi({ type: "object", description: "a run tree" });

/** The run as a tree of steps, made from its entries alone. */
export const Run = z.object({ run: RunSummary, tree: Tree }).openapi("Run");

/** What the log holds of something, or what became of it. */
const Recorded = z.custom<Wire<Content>>(() => true).openapi({ type: "object", description: "recorded content" });

/** Ms since 1970; `to` is null while it lasts. */
const Span = z.object({ from: z.number(), to: z.number().nullable() });

/** A step without its content. */
const StepRow = z.object({
  kind: z.enum(["call", "model", "event"]),
  /** From 1; a step's place among the rows that are steps. */
  number: z.number().int(),
  /** Calls around it. */
  depth: z.number().int(),
  /** Of the tool, the model or the event; null where it is not known. */
  name: z.string().nullable(),
  /** Null of an event. */
  state: z.string().nullable(),
  at: z.number(),
  agent: z.string().nullable(),
  turn: z.number().int().nullable(),
  evaluate: z.array(Span),
  wait: z.array(Span),
  execute: Span.nullable(),
  /** The question that waits for a person. */
  approval: z.string().nullable(),
});

/** A run of its own that was started within this one. */
const InnerRun = z.object({
  kind: z.literal("run"),
  depth: z.number().int(),
  run: Id,
  agent: z.string().nullable(),
  started_at: z.number(),
  last_at: z.number(),
  calls: z.number().int(),
});

/** A run at one look, of a size that grows with the number of its steps and not with what they hold. */
export const RunOutline = z
  .object({
    run: RunSummary,
    principal: Recorded.nullable(),
    /** The person's own words. */
    prompt: Recorded.nullable(),
    /** Runs in which this one was started, innermost first. */
    around: z.array(z.string()),
    started_at: z.number(),
    last_at: z.number(),
    gaps: z.array(z.object({ from: z.number().int(), to: z.number().int() })),
    totals: z.custom<Wire<Totals>>(() => true).openapi({ type: "object" }),
    /** In the order of their beginnings, what happened within a call below it. */
    rows: z.array(z.discriminatedUnion("kind", [StepRow, InnerRun])),
  })
  .openapi("RunOutline");

/** Of calls: what happened within them are steps of their own, and decisions stand without what they were made in. */
type Shown<Step extends TreeStep> = Step extends ToolStep
  ? Omit<Step, "steps" | "runs" | "decisions"> & {
      readonly decisions: readonly Omit<Step["decisions"][number], "content">[];
    }
  : Omit<Step, "decision"> &
      (Step extends { decision: infer Decision }
        ? { readonly decision: Decision extends null ? null : Omit<Decision, "content"> }
        : unknown);
export type ShownStep = Shown<TreeStep>;

export const StepNumber = z.object({ id: Id, number: z.coerce.number().int().min(1) });

export const Steps = z
  .object({
    steps: z.array(
      z.object({
        step: z.custom<Wire<ShownStep>>(() => true).openapi({ type: "object", description: "a step with its content" }),
        /** Tools offered, temperature and the like, of a question to a model. */
        settings: Recorded.nullable(),
        /** What a call's arguments count, by path. */
        units: ArgumentUnits,
      }),
    ),
  })
  .openapi("Steps");

/** So many messages from the end; a prompt may have thousands. */
export const PromptQuery = z.object({ last: z.coerce.number().int().min(1).max(100_000).default(30) });

/** What the model had been asked last when a step was made, the oldest message first; null: it is not in the log. */
export const StepPrompt = z
  .object({
    /** False: no model had been asked. */
    asked: z.boolean(),
    /** Messages before these. */
    before: z.number().int(),
    messages: z.array(Recorded.nullable()),
  })
  .openapi("StepPrompt");

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
      z.object({
        /** Its number in the run. */
        step: z.number().int().nullable(),
        tool: z.string(),
        why: z.enum(["malformed", "erased", "sealed", "masked", "incomplete"]),
      }),
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
    /** Their steps differ in more than cost and time. */
    differs: z.boolean(),
    /** What differs of the runs as a whole: whom they were for, what was asked, under which policies. */
    about: z.array(z.object({ what: z.string(), left: z.string(), right: z.string() })),
    /** Numbers of the first steps that differ; null where none does. */
    first: z.object({ left: z.number().int().nullable(), right: z.number().int().nullable() }).nullable(),
    totals: z
      .custom<{ readonly left: Wire<Totals>; readonly right: Wire<Totals> }>(() => true)
      .openapi({ type: "object" }),
    steps: z.array(
      z.object({
        match: z.enum(["same", "near", "left", "right"]),
        left: Place.nullable(),
        right: Place.nullable(),
        differences: z.array(
          z.object({
            what: z.string(),
            /** Which message, tool or parameter, where it is one of several. */
            where: z.string().nullable(),
            left: z.string(),
            right: z.string(),
          }),
        ),
      }),
    ),
  })
  .openapi("Comparison");
