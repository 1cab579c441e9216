import { z } from "@hono/zod-openapi";
import type { ConditionWords as Words } from "@saferun/core";
import { JsonValue, Moment } from "./values.ts";

const FILE_BYTES = 10_485_760;

export const PolicyText = z
  .strictObject({ file: z.string().min(1).max(1_024), text: z.string().max(FILE_BYTES) })
  .openapi("PolicyText");

/** Lines and columns count from 1, columns in UTF-16 code units. */
const PolicyIssue = z
  .object({
    severity: z.enum(["error", "warning", "note"]),
    code: z.string(),
    message: z.string(),
    /** The nearest valid word, or what to do. */
    hint: z.string().nullable(),
    file: z.string(),
    line: z.number().int(),
    column: z.number().int(),
    end_line: z.number().int().nullable(),
    end_column: z.number().int().nullable(),
  })
  .openapi("PolicyIssue");

export const ConditionWords = z
  .custom<Words>(() => true)
  .openapi("ConditionWords", { type: "object", description: "as `conditionWords` of @saferun/core" });

export const Policies = z
  .object({
    files: z.array(PolicyText.extend({ writable: z.boolean() })),
    /** Of the files as they stand; null where they do not load. */
    revision: z.string().nullable(),
    /** What the log says is in force, and why the last change was not taken. */
    state: z
      .object({
        state: z.enum(["active", "rejected"]),
        revision: z.string(),
        /** Of the files alone: without the argument schemas that an agent's framework brought along. */
        files: z.string(),
        at: Moment,
        issues: JsonValue.nullable(),
      })
      .nullable(),
    issues: z.array(PolicyIssue),
    rules: z.array(
      z.object({
        id: z.string(),
        then: z.enum(["allow", "deny", "pause"]),
        mode: z.enum(["enforce", "observe"]),
        tools: z.array(z.string()),
        file: z.string(),
        line: z.number().int(),
      }),
    ),
  })
  .openapi("Policies");

export const FilesBody = z.strictObject({ files: z.array(PolicyText).min(1).max(200) }).openapi("FilesBody");
export const Checked = z
  .object({ ok: z.boolean(), revision: z.string().nullable(), issues: z.array(PolicyIssue) })
  .openapi("Checked");

/** `call`: one line as `saferun eval` takes it. `files` absent: the policies in force. */
export const TryBody = z
  .strictObject({ files: z.array(PolicyText).min(1).max(200).optional(), call: JsonValue })
  .openapi("TryBody");
export const Tried = z.object({ decision: JsonValue, explanation: JsonValue }).openapi("Tried");

export const BacktestBody = z
  .strictObject({
    files: z.array(PolicyText).min(1).max(200),
    since: Moment.optional(),
    limit: z.number().int().min(0).max(1_000).default(100),
  })
  .openapi("BacktestBody");
export const Backtested = z
  .object({
    revision: z.string(),
    result: JsonValue,
    /** Where the changed calls stand, by their ids: for a link. */
    places: z.record(z.string(), z.object({ run: z.string(), step: z.number().int().nullable() })),
  })
  .openapi("Backtested");

/** `base`: the revision that was edited; when another one is in force meanwhile, nothing is written. */
export const ActivateBody = z
  .strictObject({ files: z.array(PolicyText).min(1).max(200), base: z.string().nullable() })
  .openapi("ActivateBody");
/** `base`: what is on disk as far as the sender knows. */
export const RestoreBody = z.strictObject({ base: z.string().nullable() }).openapi("RestoreBody");
export const Activated = z.object({ revision: z.string() }).openapi("Activated");

export const Revisions = z
  .object({
    revisions: z.array(
      z.object({ revision: z.string(), at: Moment, files: z.array(z.string()), current: z.boolean() }),
    ),
  })
  .openapi("Revisions");
