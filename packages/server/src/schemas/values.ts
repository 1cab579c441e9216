/** What several schemas share. Names on the wire are snake_case, moments ISO 8601 in UTC, amounts decimal strings. */
import { z } from "@hono/zod-openapi";
import type { Json } from "@saferun/core";

/** Any JSON: arguments, results, what stands in a part. */
export const JsonValue = z.custom<Json>(() => true).openapi({ type: "object", description: "any JSON value" });

export const Moment = z.string().openapi({ format: "date-time", example: "2026-11-22T08:40:12.000Z" });

/** Undefined is left out of a wire object, null says that there is nothing. */
export const Verdict = z.enum(["allow", "deny", "pause"]);
export const Outcome = z.enum(["succeeded", "failed", "unknown"]);

const ID_LENGTH = 256;
export const Id = z.string().min(1).max(ID_LENGTH);

/** Of any length that an application gives its agent; as long as a page can ask for. */
export const AgentName = z.string().min(1).max(4_096);

/** Why somebody acts: it stands in the record. */
export const Reason = z.string().trim().min(1, "say why: it stands in the record").max(2_000);

export const IdParam = z.object({ id: Id });

/** RFC 9457. `code` is a closed word for programs, `detail` one line for people. */
export const Problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
  })
  .openapi("Problem");

/** By path, list items without their places. */
export const ArgumentUnits = z.record(
  z.string(),
  z.object({
    unit: z.string(),
    /** Arguments that it was told by; where they are others, it is not known. */
    from: z.array(z.string()).readonly().optional(),
  }),
);
