import { z } from "@hono/zod-openapi";
import { AgentName, Id, Moment, Reason } from "./values.ts";

const StopScope = z.strictObject({
  agent: AgentName.nullable(),
  tool: Id.nullable(),
  run: Id.nullable(),
});

export const Stop = z
  .object({
    id: Id,
    /** All three null: everything. */
    scope: StopScope,
    reason: z.string(),
    by: z.string(),
    at: Moment,
    /** People who want it lifted; of everything two must. */
    lifts: z.array(z.object({ by: z.string(), reason: z.string(), at: Moment })),
  })
  .openapi("Stop");

export const Breaker = z
  .object({
    id: z.string(),
    scope: z.enum(["tool", "agent", "run"]),
    name: z.string(),
    environment: z.string().nullable(),
    state: z.enum(["closed", "open", "half_open", "stopped"]),
    /** Of an open one: when a probe may ask. */
    until: Moment.nullable(),
    trip: z.object({ cause: z.string(), reason: z.string(), by: z.string(), at: Moment }).nullable(),
  })
  .openapi("Breaker");

export const Pot = z
  .object({
    id: z.string(),
    budget: z.string(),
    environment: z.string(),
    unit: z.string(),
    key: z.array(z.string()),
    window: z.string(),
    held: z.string(),
    spent: z.string(),
    limit: z.string(),
    raised: z.string(),
    /** Spent and held of the limit, 0 to …; above 1 never. */
    used: z.number(),
  })
  .openapi("Pot");

export const Protections = z
  .object({
    stops: z.array(Stop),
    breakers: z.array(Breaker),
    pots: z.array(Pot),
    /** Calls that hold a part of a budget now. */
    holds: z.array(
      z.object({ id: z.string(), call: z.string(), parts: z.array(z.object({ pot: z.string(), amount: z.string() })) }),
    ),
  })
  .openapi("Protections");

export const StopBody = z.strictObject({ scope: StopScope, reason: Reason }).openapi("StopBody");
export const Stopped = z.object({ id: Id }).openapi("Stopped");
export const ReasonBody = z.strictObject({ reason: Reason }).openapi("ReasonBody");
export const Lifted = z
  .object({
    /** False: a second admin must agree. */
    lifted: z.boolean(),
  })
  .openapi("Lifted");
export const ResetBody = z.strictObject({ breaker: z.string().max(1_024), reason: Reason }).openapi("ResetBody");
export const RaiseBody = z
  .strictObject({ pot: z.string().max(4_096), by: z.string().max(40), reason: Reason })
  .openapi("RaiseBody");
export const Done = z.object({ done: z.literal(true) }).openapi("Done");

export const SpendQuery = z.object({ hours: z.coerce.number().int().min(1).max(720).default(24) });
/** What was booked, an hour each, by budget and unit. */
export const Spend = z
  .object({
    from: Moment,
    step_ms: z.number().int(),
    series: z.array(z.object({ name: z.string(), unit: z.string(), values: z.array(z.number()) })),
  })
  .openapi("Spend");
