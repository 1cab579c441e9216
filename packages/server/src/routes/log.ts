/** The log: search, one item whole, saved searches, and the whole of it for whoever keeps or verifies it. */
import { createRoute, z } from "@hono/zod-openapi";
import { readableHeader, type SearchItem, type StoredEntry } from "@saferun/core";
import { stream } from "hono/streaming";
import type { Activity } from "../activity.ts";
import { erasuresOf } from "../erasures.ts";
import type { Looks } from "../looks.ts";
import type { ServerPorts } from "../ports.ts";
import { ProblemError } from "../problem.ts";
import { json, problems, router } from "../route.ts";
import * as schema from "../schemas/log.ts";
import { Done } from "../schemas/protections.ts";
import { JsonValue } from "../schemas/values.ts";
import { agentIn, entryJson, itemJson } from "../wire/entry.ts";

const tags = ["log"];

const search = createRoute({
  method: "get",
  path: "/log",
  tags,
  summary: "calls and entries by field, argument and text",
  request: { query: schema.LogQuery },
  responses: { 200: json(schema.LogAnswer), ...problems },
});

const item = createRoute({
  method: "get",
  path: "/log/{seq}",
  tags,
  summary: "an entry, with all entries of its call",
  request: { params: schema.SeqParam },
  responses: { 200: json(schema.LogEntries), ...problems },
});

const views = createRoute({
  method: "get",
  path: "/log-views",
  tags,
  responses: { 200: json(schema.Views), ...problems },
});

const saveView = createRoute({
  method: "put",
  path: "/log-views/{name}",
  tags,
  request: { params: schema.ViewParam, body: { ...json(schema.ViewBody), required: true } },
  responses: { 200: json(Done), ...problems },
});

const forgetView = createRoute({
  method: "post",
  path: "/log-views/{name}/forget",
  tags,
  request: { params: schema.ViewParam },
  responses: { 200: json(Done), ...problems },
});

const exported = createRoute({
  method: "get",
  path: "/log-export",
  tags,
  summary: "the whole log with its signatures, or what a query finds, as a stream of lines",
  request: { query: schema.ExportQuery },
  responses: {
    200: {
      description: "JSON lines as `saferun log export` writes them, or CSV",
      content: { "application/x-ndjson": { schema: JsonValue }, "text/csv": { schema: z.string() } },
    },
    ...problems,
  },
});

const checkpoints = createRoute({
  method: "get",
  path: "/log-checkpoints",
  tags,
  responses: { 200: json(schema.Checkpoints), ...problems },
});

/** Entries of one call. */
const MOST_OF_A_CALL = 1_000;

export function logRoutes({ store, search: desk, exports }: ServerPorts, { names }: Activity, looks: Looks) {
  /** With who took out of them what is not there. */
  async function shown(entries: readonly StoredEntry[]) {
    const erasures = await erasuresOf((request) => desk.search(request), entries);
    return { entries: entries.map((entry) => entryJson(entry, erasures.get(entry.seq))) };
  }
  /** Agents by their names, as far as the log tells them. */
  async function named(item: SearchItem) {
    const of = agentIn(item);
    const name = of === undefined ? undefined : await names.find(of.agent, of.run, store);
    return itemJson(item, name ?? of?.agent ?? null);
  }
  return router()
    .openapi(search, async (c) => {
      const { q, limit, order, cursor } = c.req.valid("query");
      const answer = await desk.search({ query: q, limit, order, ...(cursor === undefined ? {} : { cursor }) });
      const { items, ...position } = answer;
      return c.json({ items: await Promise.all(items.map(named)), ...position }, 200);
    })
    .openapi(item, async (c) => {
      const { seq } = c.req.valid("param");
      const [entry] = await store.entries({ from: seq, limit: 1 });
      if (entry === undefined || entry.seq !== seq) {
        throw new ProblemError({ status: 404, code: "entry.missing", detail: "the log has no such entry" });
      }
      await looks.shows("entry", { range: { from: seq, to: seq + 1 } });
      const header = readableHeader(entry);
      if (header?.call === undefined || header.run === undefined) return c.json(await shown([entry]), 200);
      const { items } = await desk.search({ query: `call:${header.call}`, limit: 1, order: "oldest" });
      const entries = items[0]?.entries.slice(0, MOST_OF_A_CALL) ?? [];
      // The index may be behind the log: the entry that was asked for is always there.
      const known = entries.some((one) => one.seq === seq) ? entries : [entry];
      return c.json(await shown(known), 200);
    })
    .openapi(views, (c) => c.json({ views: Object.fromEntries(desk.views()) }, 200))
    .openapi(saveView, (c) => {
      desk.saveView(c.req.valid("param").name, c.req.valid("json").query);
      return c.json({ done: true } as const, 200);
    })
    .openapi(forgetView, (c) => {
      desk.saveView(c.req.valid("param").name, null);
      return c.json({ done: true } as const, 200);
    })
    .openapi(exported, async (c) => {
      const { format, q } = c.req.valid("query");
      const { entries, chunks } = await exports.begin(format, q === "" ? null : q);
      await looks.takesOut("export", q === "" ? {} : { query: q });
      c.header("content-type", format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson; charset=utf-8");
      // Of the whole log; how many a query finds is known at the end.
      c.header("x-saferun-entries", String(entries));
      return stream(c, async (out) => {
        for await (const text of chunks) {
          if (out.aborted) return;
          await out.write(text);
        }
      });
    })
    .openapi(checkpoints, async (c) => {
      const notes = await store.checkpoints();
      return c.json({ checkpoints: notes.map(({ size, note }) => ({ size, note })) }, 200);
    });
}
