/** Runs, their steps, and what other policies would have made of them. */
import { createRoute, z } from "@hono/zod-openapi";
import { agentId, isAgentId, type RunTree, toWire } from "@saferun/core";
import type { Activity } from "../activity.ts";
import type { Looks } from "../looks.ts";
import type { ServerPorts } from "../ports.ts";
import { ProblemError } from "../problem.ts";
import { json, problems, router } from "../route.ts";
import { MOST_RUNS } from "../run-activity.ts";
import { factsOf, neighboursOf, pageOf, type RunFacts, type RunFilter, tallyOf, withoutEach } from "../run-list.ts";
import * as schema from "../schemas/runs.ts";
import { Id, IdParam } from "../schemas/values.ts";
import { outlineJson, promptJson, stepsJson, summaryJson } from "../wire/run.ts";

const tags = ["runs"];

const list = createRoute({
  method: "get",
  path: "/runs",
  tags,
  summary: "runs, the newest first, as many as were asked for",
  request: { query: schema.RunListQuery },
  responses: { 200: json(schema.RunList), ...problems },
});

const neighbours = createRoute({
  method: "get",
  path: "/runs/{id}/neighbours",
  tags,
  summary: "the runs before and behind one, among those that were asked for",
  request: { params: IdParam, query: schema.RunFilter },
  responses: { 200: json(schema.Neighbours), ...problems },
});

const bundle = createRoute({
  method: "get",
  path: "/runs/{id}/bundle",
  tags,
  summary: "the run's entries with what proves them, as a file; recorded as an export",
  request: { params: IdParam, query: schema.BundleQuery },
  responses: {
    200: {
      description: "a page that verifies itself, or the bundle that `saferun log verify` reads",
      content: { "text/html": { schema: z.string() }, "text/plain": { schema: z.string() } },
    },
    ...problems,
  },
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

export function runRoutes({ store, clock, hash, replay }: ServerPorts, activity: Activity, looks: Looks) {
  /** All runs that a list reaches back to, with what is known of them now. */
  async function everyRun() {
    await activity.look();
    return factsOf(store, activity, await store.runs({ limit: MOST_RUNS }));
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
    await activity.look();
    const [found] = run === undefined ? [] : await factsOf(store, activity, [run]);
    if (found === undefined) throw noRun();
    return named(found);
  }

  async function named(facts: RunFacts) {
    const { id, agent } = facts.run;
    return summaryJson(facts, (await activity.names.find(agent, id, store)) ?? agent);
  }

  /** Rows hold ids of agents; people may ask for a name as well. */
  function byId<Asked extends RunFilter>(filter: Asked): Asked {
    const { agent } = filter;
    return agent === undefined || isAgentId(agent) ? filter : { ...filter, agent: agentId(agent, hash) };
  }

  return router()
    .openapi(list, async (c) => {
      const { from, skip, limit, ...filter } = byId(c.req.valid("query"));
      const [all, now] = [await everyRun(), clock.now()];
      const page = pageOf(all, { filter, from, skip, limit, now });
      if (page === undefined) throw noRun();
      const { facts, total, newer } = page;
      const reach = { runs: all.length, whole: all.length < MOST_RUNS, ...activity.range() };
      const without = total === 0 ? withoutEach(all, filter, now) : {};
      return c.json(
        { runs: await Promise.all(facts.map(named)), total, newer, tally: tallyOf(all, filter, now), without, reach },
        200,
      );
    })
    .openapi(neighbours, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(neighboursOf(await everyRun(), id, byId(c.req.valid("query")), clock.now()), 200);
    })
    .openapi(bundle, async (c) => {
      const { id } = await summary(c.req.valid("param").id);
      const { as } = c.req.valid("query");
      const text = await replay.bundle(id, as);
      await looks.takesOut("bundle", { runs: [id] });
      c.header("content-type", as === "page" ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
      // A file to keep: opened in the page's own place it would run as part of it.
      c.header("content-disposition", "attachment");
      return c.body(text, 200);
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
