/** The log: search, one item whole, saved searches, and the stored bytes for whoever verifies them. */
import { createRoute } from "@hono/zod-openapi";
import { readableHeader, toHex } from "@saferun/core";
import type { ServerPorts } from "../ports.ts";
import { ProblemError } from "../problem.ts";
import { json, problems, router } from "../route.ts";
import * as schema from "../schemas/log.ts";
import { Done } from "../schemas/protections.ts";
import { entryJson, itemJson } from "../wire/entry.ts";

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

const raw = createRoute({
  method: "get",
  path: "/log-bytes",
  tags,
  summary: "headers exactly as they were hashed",
  request: { query: schema.RawQuery },
  responses: { 200: json(schema.RawEntries), ...problems },
});

const checkpoints = createRoute({
  method: "get",
  path: "/log-checkpoints",
  tags,
  responses: { 200: json(schema.Checkpoints), ...problems },
});

/** Entries of one call. */
const MOST_OF_A_CALL = 1_000;

export function logRoutes({ store, search: desk }: ServerPorts) {
  return router()
    .openapi(search, async (c) => {
      const { q, limit, order, cursor } = c.req.valid("query");
      const answer = await desk.search({ query: q, limit, order, ...(cursor === undefined ? {} : { cursor }) });
      const { items, ...position } = answer;
      return c.json({ items: items.map(itemJson), ...position }, 200);
    })
    .openapi(item, async (c) => {
      const { seq } = c.req.valid("param");
      const [entry] = await store.entries({ from: seq, limit: 1 });
      if (entry === undefined || entry.seq !== seq) {
        throw new ProblemError({ status: 404, code: "entry.missing", detail: "the log has no such entry" });
      }
      const header = readableHeader(entry);
      if (header?.call === undefined || header.run === undefined) return c.json({ entries: [entryJson(entry)] }, 200);
      const { items } = await desk.search({ query: `call:${header.call}`, limit: 1, order: "oldest" });
      const entries = items[0]?.entries.slice(0, MOST_OF_A_CALL) ?? [];
      // The index may be behind the log: the entry that was asked for is always there.
      const known = entries.some((one) => one.seq === seq) ? entries : [entry];
      return c.json({ entries: known.map(entryJson) }, 200);
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
    .openapi(raw, async (c) => {
      const { from, limit } = c.req.valid("query");
      const { size } = await store.head();
      const entries = await store.entries({ from, limit });
      const headers = entries.map(({ seq, header }) => ({ seq, header: Buffer.from(header).toString("base64") }));
      return c.json({ log: store.logId, size, headers }, 200);
    })
    .openapi(checkpoints, async (c) => {
      const notes = await store.checkpoints();
      return c.json(
        { checkpoints: notes.map(({ size, note }) => ({ size, note })), claimed_key: await claimedKey(store) },
        200,
      );
    });
}

/** The public key that the log's first entry names. */
async function claimedKey(store: ServerPorts["store"]): Promise<string | null> {
  const [first] = await store.entries({ from: 0, limit: 1 });
  const part = first?.parts.find(({ name }) => name === "key");
  return part?.bytes == null ? null : toHex(part.bytes);
}
