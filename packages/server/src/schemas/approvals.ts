import { z } from "@hono/zod-openapi";
import { ArgumentUnits, Id, JsonValue, Moment, Reason } from "./values.ts";

const ApprovalState = z.enum(["pending", "suspended", "approved", "consumed", "denied", "expired", "withdrawn"]);

export const Grant = z.object({
  same: z.array(z.string()),
  for_ms: z.number(),
  count: z.number().int(),
  sum: z.object({ path: z.string(), most: z.number() }).nullable(),
});

const Voter = z.object({ by: z.string(), via: z.string(), verified: z.boolean(), at: Moment });

/** One path that an approver may change, as the tool's schema describes it. */
export const EditField = z
  .looseObject({
    /** As in `editable`: `amount`, `lines[].amount`. */
    path: z.string(),
    /** The text of whoever made the tool: show it escaped, beside the path. */
    label: z.string(),
    type: z.enum(["string", "integer", "number", "boolean", "enum", "json"]),
    required: z.boolean(),
    enum: z.array(JsonValue).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    pattern: z.string().optional(),
    description: z.string().optional(),
  })
  .openapi("EditField");

export const Approval = z
  .object({
    id: Id,
    /** Send it back with the answer: an approval that changed meanwhile is not decided by it. */
    version: z.number().int(),
    state: ApprovalState,
    call: z.string(),
    run: z.string(),
    tool: z.string(),
    agent: z.string(),
    environment: z.string(),
    digest: z.string(),
    /** As the call would run; an earlier approver's version stands in `edit`. */
    args: JsonValue,
    /** What arguments count, by path, list items without their places. Known only while what `from` names is as in `args`. */
    units: ArgumentUnits,
    /** The amounts of what is asked about now, as people are shown them: `$4,500.00`. What runs stands in the arguments. */
    amounts: z.array(z.object({ path: z.string(), unit: z.string(), text: z.string() })),
    reasons: z.array(
      z.object({
        id: z.string(),
        reason: z.string(),
        route: z.string(),
        roles: z.array(z.string()),
        need: z.number().int(),
        show: z.array(z.string()),
      }),
    ),
    editable: z.array(z.string()),
    /** The editable paths that these arguments have: `lines[].amount` → `lines[0].amount`, … */
    editable_paths: z.array(z.string()),
    fields: z.array(EditField),
    /** The edit form, filled with what is asked about now, for pages that make no form of their own. */
    form: z.array(JsonValue),
    /** What may be permitted beside the call; null: nothing. */
    grant_offer: z
      .object({
        same: z.array(z.string()),
        free: z.array(z.string()),
        /** The argument that is counted; `most` is needed where there is one. */
        amount: z.string().nullable(),
        for: z.array(z.string()),
        default: z.object({ for: z.string(), count: z.string() }),
        text: z.string(),
      })
      .nullable(),
    edit: z.object({ by: z.string(), args: JsonValue }).nullable(),
    votes: z.array(Voter.extend({ grant: Grant.nullable() })),
    missing: z.array(z.looseObject({ people: z.number().int() })),
    created_at: Moment,
    deadline: Moment,
    decision: Voter.extend({
      verdict: z.enum(["approve", "deny"]),
      note: z.string().nullable(),
      edited: z.boolean(),
      args: JsonValue,
      changed: z.array(z.string()),
      valid_until: Moment,
      grant: Grant.nullable(),
      /** What the grant permits, in words. */
      permitted: z.string().nullable(),
    }).nullable(),
  })
  .openapi("Approval");

/** One question, looked at. */
export const ShownApproval = Approval.extend({
  /** The process that asked has surely ended: once it is approved, nothing runs by itself. */
  asker_gone: z.boolean(),
}).openapi("ShownApproval");

/** In a list: bounded, whatever the arguments are. */
export const ApprovalSummary = z
  .object({
    id: Id,
    version: z.number().int(),
    state: ApprovalState,
    call: z.string(),
    run: z.string(),
    tool: z.string(),
    agent: z.string(),
    environment: z.string(),
    /** The beginning of their canonical JSON. */
    arguments: z.string(),
    created_at: Moment,
    deadline: Moment,
    decided_at: Moment.nullable(),
  })
  .openapi("ApprovalSummary");

export const ApprovalList = z
  .object({
    approvals: z.array(ApprovalSummary),
    /** Older questions wait too. */
    more: z.boolean(),
  })
  .openapi("ApprovalList");

/** Nothing in it is guessed: an unknown key is an error. */
export const DecideBody = z
  .strictObject({
    verdict: z.enum(["approve", "deny"]),
    version: z.number().int(),
    /** Beside `approve`: all arguments as they should run. */
    args: JsonValue.optional(),
    /** Instead of `args`: a form's fields as they were typed or chosen, by path. */
    fields: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
    /** Beside `approve`: the like is permitted too, for a while. */
    grant: z
      .strictObject({
        for: z.string().optional(),
        count: z.union([z.string(), z.number()]).optional(),
        most: z.union([z.string(), z.number()]).optional(),
      })
      .optional(),
    note: z.string().max(2_000).optional(),
  })
  .openapi("DecideBody");

export const Answer = z
  .object({
    answer: z.enum(["applied", "already_decided", "stale_version", "expired", "not_allowed"]),
    message: z.string(),
    approval: Approval.nullable(),
  })
  .openapi("Answer");

/** What the policies would say of an edit, before anybody decides by it. */
export const ForeseeBody = z.strictObject({ args: JsonValue }).openapi("ForeseeBody");
export const Foreseen = z.object({ allowed: z.boolean(), message: z.string().nullable() }).openapi("Foreseen");

export const ReconcileBody = z.strictObject({ ran: z.boolean(), reason: Reason }).openapi("ReconcileBody");
