import { z } from "@hono/zod-openapi";
import { Counts } from "./runs.ts";
import { JsonValue, Moment, Verdict } from "./values.ts";

export const Agents = z
  .object({
    agents: z.array(
      z.object({
        /** Its name; where the log no longer tells it, its id. */
        agent: z.string(),
        /** What the log's headers call it: the name itself where that is a plain one. */
        agent_id: z.string(),
        /** False: only its id is known, by which it cannot be stopped. */
        named: z.boolean(),
        environment: z.string(),
        first_seen: Moment,
        last_seen: Moment,
        runs: z.number().int(),
        counts: Counts,
        tools: z.array(z.object({ tool: z.string(), last_seen: Moment, counts: Counts })),
      }),
    ),
    /** Tools that the policies declare. */
    declared: z.array(z.object({ tool: z.string(), kind: z.string(), labels: z.array(z.string()) })),
    /** Entries that were counted: the oldest of a large log are not. */
    from: z.number().int(),
    to: z.number().int(),
  })
  .openapi("Agents");

/** Who may call what: what the rules of the policy files say, budgets, breakers and stops left aside. */
export const Access = z
  .object({
    access: z.array(
      z.object({
        agent: z.string(),
        environment: z.string(),
        tool: z.string(),
        /** From the freest to the strictest; empty where every call that was tried is refused before any rule. */
        answers: z.array(
          z.object({
            verdict: Verdict,
            by: z.array(z.string()),
            /** Where something only observes: what would bind. */
            would: z.object({ verdict: Verdict, by: z.array(z.string()) }).nullable(),
            /** An id or `role:NAME`, where only somebody so named gets this answer. */
            principal: z.string().nullable(),
            /** A call that gets it. */
            example: JsonValue,
          }),
        ),
      }),
    ),
    /** Tools of which an answer may have been missed. */
    incomplete: z.array(z.object({ tool: z.string(), why: z.string() })),
    /** Agents that rules name, and that were not seen. */
    unseen: z.array(z.string()),
  })
  .openapi("Access");

/** Names that stand in the record, for filters and completion; of each kind not more than a few hundred. */
export const Names = z
  .object({
    agents: z.array(z.string()),
    environments: z.array(z.string()),
    tools: z.array(z.string()),
    principals: z.array(z.string()),
    rules: z.array(z.string()),
  })
  .openapi("Names");

export const Health = z
  .object({
    status: z.enum(["ok", "policies_rejected"]),
    log: z.string(),
    entries: z.number().int(),
    user: z.string(),
    roles: z.array(z.string()),
    store: z.string(),
  })
  .openapi("Health");

/** What the project is built with, for the first lines to paste. */
export const Project = z
  .object({
    /** The agent framework of its package.json; null where none is known. */
    framework: z.string().nullable(),
    language: z.enum(["typescript", "javascript"]),
    modules: z.enum(["import", "require"]),
    installer: z.enum(["npm", "pnpm", "yarn", "bun"]),
    /** `unpublished`: no registry has this version of it. */
    sdk: z.enum(["installed", "missing", "unpublished"]),
    /** Policy files that are there, as a program of this directory names them. */
    policies: z.array(z.string()),
    /** What a program has to give as `store`; null where the default means this one. */
    store: z.string().nullable(),
  })
  .openapi("Project");

export const Channels = z
  .object({
    channels: z.array(
      z.object({
        name: z.string(),
        ready: z.boolean(),
        /** What is missing, or how it is set up; never a secret. */
        detail: z.string(),
      }),
    ),
    people: JsonValue.nullable(),
  })
  .openapi("Channels");
export const ChannelTestBody = z.strictObject({ target: z.string().min(1).max(256) }).openapi("ChannelTestBody");
export const ChannelTested = z.object({ ok: z.boolean(), detail: z.string() }).openapi("ChannelTested");

/** One event of the stream; its id is the log's size, so that a reader that comes back misses nothing. */
export const LogEvent = z
  .object({
    size: z.number().int(),
    /** More came than one event tells: read again what is shown. */
    more: z.boolean(),
    entries: z.array(
      z.object({
        seq: z.number().int(),
        type: z.string(),
        run: z.string().nullable(),
        call: z.string().nullable(),
        approval: z.string().nullable(),
        tool: z.string().nullable(),
        verdict: z.string().nullable(),
        outcome: z.string().nullable(),
      }),
    ),
  })
  .openapi("LogEvent");
