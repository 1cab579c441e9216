/** Stops, breakers and budgets, and what people do to them: each act has a reason and stands in the record. */
import { createRoute } from "@hono/zod-openapi";
import {
  agentMeant,
  amountOf,
  breakersOf,
  liftStops,
  type Operated,
  type OperateRefusal,
  openHolds,
  potsOf,
  raiseBudget,
  reconcileCall,
  resetBreaker,
  stopCalls,
  stopsInForce,
} from "@saferun/core";
import type { ServerPorts } from "../ports.ts";
import { type Problem, ProblemError } from "../problem.ts";
import { json, problems, router } from "../route.ts";
import { ReconcileBody } from "../schemas/approvals.ts";
import * as schema from "../schemas/protections.ts";
import { IdParam } from "../schemas/values.ts";
import { spendOf } from "../spend.ts";
import { breakerJson, potJson, stopJson } from "../wire/protections.ts";

const tags = ["protections"];
const MOST = 10_000;

const list = createRoute({
  method: "get",
  path: "/protections",
  tags,
  summary: "stops in force, breakers that are known, budgets that are used",
  responses: { 200: json(schema.Protections), ...problems },
});

const spend = createRoute({
  method: "get",
  path: "/spend",
  tags,
  summary: "what was booked of the budgets, hour by hour",
  request: { query: schema.SpendQuery },
  responses: { 200: json(schema.Spend), ...problems },
});

const stop = createRoute({
  method: "post",
  path: "/stops",
  tags,
  summary: "no effectful call of this scope starts after this answers",
  request: { body: { ...json(schema.StopBody), required: true } },
  responses: { 200: json(schema.Stopped), ...problems },
});

const lift = createRoute({
  method: "post",
  path: "/stops/{id}/lift",
  tags,
  request: { params: IdParam, body: { ...json(schema.ReasonBody), required: true } },
  responses: { 200: json(schema.Lifted), ...problems },
});

const reset = createRoute({
  method: "post",
  path: "/breakers/reset",
  tags,
  request: { body: { ...json(schema.ResetBody), required: true } },
  responses: { 200: json(schema.Done), ...problems },
});

const raise = createRoute({
  method: "post",
  path: "/budgets/raise",
  tags,
  summary: "add to the limit of one pot; the policy's own limit stays",
  request: { body: { ...json(schema.RaiseBody), required: true } },
  responses: { 200: json(schema.Done), ...problems },
});

const reconcile = createRoute({
  method: "post",
  path: "/calls/{id}/reconcile",
  tags,
  summary: "say what became of a call whose outcome is unknown",
  request: { params: IdParam, body: { ...json(ReconcileBody), required: true } },
  responses: { 200: json(schema.Done), ...problems },
});

const done = { done: true } as const;
const NO_NAME: Problem = {
  status: 404,
  code: "agent.unnamed",
  detail: "the log no longer tells whose id this is: stop the agent's runs or tools",
};

export function protectionRoutes({ store, clock, hash, random, person }: ServerPorts) {
  const ports = { store, clock, random };
  const by = person.actor;
  return router()
    .openapi(list, async (c) => {
      const [stops, breakers] = [await stopsInForce(store), await breakersOf(store, MOST)];
      const [pots, holds] = [await potsOf(store, MOST), await openHolds(store, MOST)];
      return c.json(
        {
          stops: stops.map(stopJson),
          breakers: breakers.map(breakerJson),
          pots: pots.map(potJson),
          holds: holds.map(({ id, call, parts }) => ({
            id,
            call,
            parts: parts.map(({ pot, amount }) => ({ pot, amount: String(amount) })),
          })),
        },
        200,
      );
    })
    .openapi(spend, async (c) => c.json(await spendOf(store, c.req.valid("query").hours, clock.now()), 200))
    .openapi(stop, async (c) => {
      const { scope, reason } = c.req.valid("json");
      const agent = scope.agent === null ? null : await agentMeant(scope.agent, store, hash);
      if (agent === undefined) throw new ProblemError(NO_NAME);
      const { id = "" } = acted(await stopCalls(ports, { scope: { ...scope, agent }, reason, by }));
      return c.json({ id }, 200);
    })
    .openapi(lift, async (c) => {
      const { id } = c.req.valid("param");
      const { lifted = false } = acted(await liftStops(ports, { id, reason: c.req.valid("json").reason, by }));
      return c.json({ lifted }, 200);
    })
    .openapi(reset, async (c) => {
      const { breaker, reason } = c.req.valid("json");
      acted(await resetBreaker(ports, { breaker, reason, by }));
      return c.json(done, 200);
    })
    .openapi(raise, async (c) => {
      const { pot: id, by: more, reason } = c.req.valid("json");
      const pot = (await potsOf(store, MOST)).find((one) => one.id === id);
      if (pot === undefined) throw refused("missing");
      const amount = amountOf(more, pot.unit);
      if (amount === undefined || amount === 0n) {
        throw new ProblemError({
          status: 400,
          code: "amount.invalid",
          detail: `an amount of ${pot.unit}, such as 100`,
        });
      }
      acted(await raiseBudget(ports, { pot: id, amount, reason, by }));
      return c.json(done, 200);
    })
    .openapi(reconcile, async (c) => {
      const call = await store.call(c.req.valid("param").id);
      if (call === undefined) throw refused("missing");
      acted(await reconcileCall(ports, { call, by, ...c.req.valid("json") }));
      return c.json(done, 200);
    });
}

/** @throws ProblemError for an act that did not happen. */
function acted<Result extends Operated>(result: Result): Extract<Result, { ok: true }> {
  if (!result.ok) throw refused(result.why);
  return result as Extract<Result, { ok: true }>;
}

function refused(why: OperateRefusal): ProblemError {
  const { status, detail } = REFUSALS[why];
  return new ProblemError({ status, code: `act.${why}`, detail });
}

const REFUSALS: Readonly<Record<OperateRefusal, Pick<Problem, "status" | "detail">>> = {
  "not-allowed": { status: 403, detail: "you may not do that" },
  "no-reason": { status: 400, detail: "a reason is needed" },
  missing: { status: 404, detail: "there is nothing of this id; it may have been lifted or reset meanwhile" },
  "same-person": { status: 409, detail: "the same person cannot agree twice" },
  lifted: { status: 409, detail: "it is lifted already" },
  "not-stopped": {
    status: 409,
    detail: "this breaker is not stopped; one that is open closes by itself when a probe succeeds",
  },
  "not-unknown": { status: 409, detail: "only a call whose outcome is unknown can be reconciled" },
  "too-many": { status: 409, detail: "too many stops are in force: stop everything instead" },
  busy: { status: 503, detail: "others wrote at the same moment, each time: try again" },
};
