/** Runs, their steps, and what other policies would have made of them. */
import { createRoute, z } from "@hono/zod-openapi";
import { type RunSummary, type RunTree, toWire } from "@saferun/core";
import type { Activity } from "../activity.ts";
import type { Looks } from "../looks.ts";
import type { ServerPorts } from "../ports.ts";
import { ProblemError } from "../problem.ts";
import { json, problems, router } from "../route.ts";
import * as schema from "../schemas/runs.ts";
import { Id, IdParam } from "../schemas/values.ts";
import { iso } from "../wire/moment.ts";
import { outlineJson, promptJson, stepsJson } from "../wire/run.ts";

const tags = ["runs"];
const PAGE = 50;
/** Runs that a list reaches back to; older ones are found by searching the log. */
const MOST_RUNS = 10_000;
const MOST_WAITING = 1_000;

const list = createRoute({
  method: "get",
  path: "/runs",
  tags,
  summary: "runs, the newest first",
  request: { query: z.object({ cursor: z.string().max(256).optional(), agent: z.string().max(256).optional() }) },
  responses: { 200: json(schema.RunList), ...problems },
});

const one = createRoute({
  method: "get",
  path: "/runs/{id}",
  tags,
  request: { params: IdParam },
  responses: { 200: json(schema.Run), ...problems },
});

const outline = createRoute({
  method: "get",
  path: "/runs/{id}/outline",
  tags,
  summary: "a run with its steps, without what they hold",
  request: { params: IdParam },
  responses: { 200: json(schema.RunOutline), ...problems },
});

const steps = createRoute({
  method: "get",
  path: "/runs/{id}/steps/{number}",
  tags,
  summary: "a step with what it holds, and those around it that fit beside it",
  request: { params: schema.StepNumber },
  responses: { 200: json(schema.Steps), ...problems },
});

const prompt = createRoute({
  method: "get",
  path: "/runs/{id}/steps/{number}/prompt",
  tags,
  summary: "what the model had been asked when a step was made",
  request: { params: schema.StepNumber, query: schema.PromptQuery },
  responses: { 200: json(schema.StepPrompt), ...problems },
});

const whatIf = createRoute({
  method: "post",
  path: "/runs/{id}/what-if",
  tags,
  summary: "judge the recorded calls by other policies; nothing is run or recorded",
  request: { params: IdParam, body: { ...json(schema.WhatIfBody), required: true } },
  responses: { 200: json(schema.WhatIf), ...problems },
});

const test = createRoute({
  method: "get",
  path: "/runs/{id}/test",
  tags,
  summary: "the run's calls as a policy test that passes now; nothing is written",
  request: { params: IdParam },
  responses: { 200: json(schema.RunTest), ...problems },
});

const compare = createRoute({
  method: "get",
  path: "/runs/{id}/compare/{other}",
  tags,
  summary: "two runs side by side, aligned by call",
  request: { params: IdParam.extend({ other: Id }) },
  responses: { 200: json(schema.Comparison), ...problems },
});

export function runRoutes({ store, replay }: ServerPorts, activity: Activity, looks: Looks) {
  async function summaries(runs: readonly RunSummary[]) {
    const pending = await store.approvals({ state: "pending", limit: MOST_WAITING });
    return runs.map((run) => ({
      id: run.id,
      agent: run.agent,
      environment: run.environment,
      entries: run.entries,
      started_at: iso(run.startedAt),
      last_at: iso(run.lastAt),
      waiting: pending.filter((approval) => approval.run === run.id).length,
      counts: activity.run(run.id) ?? null,
      usd_micros: activity.usdMicros(run.id)?.toString() ?? null,
    }));
  }

  /** Whoever asks for content is in the log before any of it is read. */
  async function looked(id: string): Promise<RunTree> {
    await looks.shows("run", { runs: [id] });
    const tree = await replay.tree(id);
    if (tree === undefined) throw noRun();
    return tree;
  }

  async function summary(id: string) {
    const run = await store.run(id);
    const [found] = run === undefined ? [] : await summaries([run]);
    if (found === undefined) throw noRun();
    return found;
  }

  return router()
    .openapi(list, async (c) => {
      const { cursor, agent } = c.req.valid("query");
      await activity.look();
      const all = await store.runs({ limit: MOST_RUNS });
      const after = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
      const rest = all.slice(after).filter((run) => agent === undefined || run.agent === agent);
      const page = rest.slice(0, PAGE);
      return c.json({ runs: await summaries(page), next: rest.length > PAGE ? (page.at(-1)?.id ?? null) : null }, 200);
    })
    .openapi(one, async (c) => {
      const run = await summary(c.req.valid("param").id);
      return c.json({ run, tree: toWire(await looked(run.id)) }, 200);
    })
    .openapi(outline, async (c) => {
      const run = await summary(c.req.valid("param").id);
      return c.json({ run, ...outlineJson(await looked(run.id)) }, 200);
    })
    .openapi(steps, async (c) => {
      const { id, number } = c.req.valid("param");
      const { id: run } = await summary(id);
      const found = stepsJson(await looked(run), number);
      if (found.length === 0) throw noStep();
      return c.json({ steps: [...found] }, 200);
    })
    .openapi(prompt, async (c) => {
      const { id, number } = c.req.valid("param");
      const { id: run } = await summary(id);
      return c.json(promptJson(await looked(run), number, c.req.valid("query").last), 200);
    })
    .openapi(whatIf, async (c) => {
      const { id } = await summary(c.req.valid("param").id);
      await looks.shows("run", { runs: [id] });
      return c.json(await replay.whatIf(id, c.req.valid("json").files), 200);
    })
    .openapi(test, async (c) => {
      const { id } = await summary(c.req.valid("param").id);
      await looks.shows("run", { runs: [id] });
      return c.json(await replay.test(id), 200);
    })
    .openapi(compare, async (c) => {
      const { id, other } = c.req.valid("param");
      const [left, right] = [await summary(id), await summary(other)];
      await looks.shows("comparison", { runs: [left.id, right.id] });
      return c.json({ left, right, ...(await replay.compare(left.id, right.id)) }, 200);
    });
}

function noStep(): ProblemError {
  return new ProblemError({ status: 404, code: "step.missing", detail: "the run has no such step" });
}

function noRun(): ProblemError {
  return new ProblemError({ status: 404, code: "run.missing", detail: "there is no such run" });
}
