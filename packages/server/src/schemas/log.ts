import { z } from "@hono/zod-openapi";
import type { Content, Wire } from "@saferun/core";
import { JsonValue, Moment, Outcome, Verdict } from "./values.ts";

export const LogQuery = z.object({
  q: z.string().max(4_096).default(""),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  order: z.enum(["newest", "oldest"]).default("newest"),
  cursor: z.string().max(1_024).optional(),
});

export const Entry = z
  .looseObject({
    seq: z.number().int(),
    at: Moment,
    type: z.string(),
    run: z.string().nullable(),
    call: z.string().optional(),
    tool: z.string().optional(),
    agent: z.string().optional(),
    environment: z.string().optional(),
    verdict: Verdict.optional(),
    rules: z.array(z.string()).optional(),
    outcome: Outcome.optional(),
    approval: z.string().optional(),
    revision: z.string().optional(),
    leaf: z.string(),
    /** Content by the part's name. */
    parts: z.record(z.string(), JsonValue),
    /** Why it is not there, by the part's name: `sealed` with its key, `erased` with who and why, or `missing`. */
    gone: z.record(
      z.string(),
      z.custom<Wire<Content>>(() => true).openapi({ type: "object", description: "content that is not there" }),
    ),
  })
  .openapi("Entry");

/** A call with all its entries, or one entry that is about no call. */
export const LogItem = z
  .object({
    seq: z.number().int(),
    at: Moment.nullable(),
    type: z.string(),
    run: z.string().nullable(),
    call: z.string().nullable(),
    tool: z.string().nullable(),
    agent: z.string().nullable(),
    verdicts: z.array(Verdict),
    rules: z.array(z.string()),
    outcome: Outcome.nullable(),
    entries: z.number().int(),
    /** The person who looked, stopped, answered; and what they looked at, or why. */
    who: z.string().nullable(),
    about: z.string().nullable(),
  })
  .openapi("LogItem");

export const LogAnswer = z
  .object({
    items: z.array(LogItem),
    cursor: z.string().nullable(),
    /** It ends before its limit because the time was up. */
    cut: z.boolean(),
    /** The last position that was looked at. */
    reached: z.number().int().nullable(),
    /** Entries that the index holds, and entries of the log. */
    indexed: z.number().int(),
    size: z.number().int(),
  })
  .openapi("LogAnswer");

export const SeqParam = z.object({ seq: z.coerce.number().int().min(0) });

/** The entries of one item, whole. */
export const LogEntries = z.object({ entries: z.array(Entry) }).openapi("LogEntries");

export const Views = z.object({ views: z.record(z.string(), z.string()) }).openapi("Views");
export const ViewParam = z.object({ name: z.string().min(1).max(64) });
export const ViewBody = z.strictObject({ query: z.string().max(4_096) }).openapi("ViewBody");

export const ExportQuery = z.object({
  format: z.enum(["jsonl", "csv"]).default("jsonl"),
  /** Empty: the whole log. */
  q: z.string().max(4_096).default(""),
});
/** Signed notes over tree heads, oldest first. */
export const Checkpoints = z
  .object({ checkpoints: z.array(z.object({ size: z.number().int(), note: z.string() })) })
  .openapi("Checkpoints");
