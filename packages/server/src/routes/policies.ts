/** The policies: what is in force, what a draft would do, and putting a draft in force. */
import { createRoute, z } from "@hono/zod-openapi";
import type { PolicyState } from "../policy-state.ts";
import type { ServerPorts } from "../ports.ts";
import { json, problems, router } from "../route.ts";
import * as schema from "../schemas/policies.ts";
import { JsonValue } from "../schemas/values.ts";

const tags = ["policies"];

const list = createRoute({
  method: "get",
  path: "/policies",
  tags,
  responses: { 200: json(schema.Policies), ...problems },
});

const format = createRoute({
  method: "get",
  path: "/policies/schema",
  tags,
  summary: "the JSON Schema of the format",
  responses: { 200: json(JsonValue), ...problems },
});

const words = createRoute({
  method: "get",
  path: "/policies/words",
  tags,
  summary: "what a condition may be written with: variables, functions, and the arguments of the tools",
  responses: { 200: json(schema.ConditionWords), ...problems },
});

const check = createRoute({
  method: "post",
  path: "/policies/check",
  tags,
  summary: "what `saferun check` says of these texts",
  request: { body: { ...json(schema.FilesBody), required: true } },
  responses: { 200: json(schema.Checked), ...problems },
});

const attempt = createRoute({
  method: "post",
  path: "/policies/try",
  tags,
  summary: "judge one call that nobody makes, with the explanation",
  request: { body: { ...json(schema.TryBody), required: true } },
  responses: { 200: json(schema.Tried), ...problems },
});

const backtest = createRoute({
  method: "post",
  path: "/policies/backtest",
  tags,
  summary: "judge the recorded calls by these texts, call by call",
  request: { body: { ...json(schema.BacktestBody), required: true } },
  responses: { 200: json(schema.Backtested), ...problems },
});

const activate = createRoute({
  method: "post",
  path: "/policies/activate",
  tags,
  summary: "write the files, all or none, where they load and nobody changed them meanwhile",
  request: { body: { ...json(schema.ActivateBody), required: true } },
  responses: { 200: json(schema.Activated), ...problems },
});

const revisions = createRoute({
  method: "get",
  path: "/policies/revisions",
  tags,
  responses: { 200: json(schema.Revisions), ...problems },
});

const rollBack = createRoute({
  method: "post",
  path: "/policies/revisions/{revision}/restore",
  tags,
  summary: "write the files of an earlier revision",
  request: {
    params: z.object({ revision: z.string().regex(/^[0-9a-f]{8,64}$/) }),
    body: { ...json(schema.RestoreBody), required: true },
  },
  responses: { 200: json(schema.Activated), ...problems },
});

export function policyRoutes({ policies }: ServerPorts, stateNow: () => Promise<PolicyState | null>) {
  return router()
    .openapi(list, async (c) => c.json({ ...(await policies.current()), state: await stateNow() }, 200))
    .openapi(format, (c) => c.json(policies.schema(), 200))
    .openapi(words, async (c) => c.json(await policies.words(), 200))
    .openapi(check, async (c) => c.json(await policies.check(c.req.valid("json").files), 200))
    .openapi(attempt, async (c) => c.json(await policies.attempt(c.req.valid("json")), 200))
    .openapi(backtest, async (c) => c.json(await policies.backtest(c.req.valid("json")), 200))
    .openapi(activate, async (c) => {
      const { files, base } = c.req.valid("json");
      return c.json(await policies.activate(files, base), 200);
    })
    .openapi(revisions, async (c) => c.json(await policies.revisions(), 200))
    .openapi(rollBack, async (c) => {
      const { base } = c.req.valid("json");
      return c.json(await policies.rollBack(c.req.valid("param").revision, base), 200);
    });
}
