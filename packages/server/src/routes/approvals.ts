/** Questions and their answers. */
import { createRoute } from "@hono/zod-openapi";
import type { DecisionAnswer } from "@saferun/core";
import { type Answer, answerOf } from "../answer.ts";
import type { ServerPorts } from "../ports.ts";
import { ProblemError } from "../problem.ts";
import { json, problems, router } from "../route.ts";
import * as schema from "../schemas/approvals.ts";
import { IdParam } from "../schemas/common.ts";
import { approvalJson } from "../wire/approval.ts";

const LIST_LIMIT = 200;
const tags = ["approvals"];

const list = createRoute({
  method: "get",
  path: "/approvals",
  tags,
  summary: "questions that wait, then the latest answered ones",
  responses: { 200: json(schema.ApprovalList), ...problems },
});

const one = createRoute({
  method: "get",
  path: "/approvals/{id}",
  tags,
  request: { params: IdParam },
  responses: { 200: json(schema.Approval), ...problems },
});

const decide = createRoute({
  method: "post",
  path: "/approvals/{id}/decide",
  tags,
  summary: "answer a question; one of the five answers comes back, 200 only where it was applied",
  request: { params: IdParam, body: { ...json(schema.DecideBody), required: true } },
  responses: { 200: json(schema.Answer), ...problems },
});

const foresee = createRoute({
  method: "post",
  path: "/approvals/{id}/foresee",
  tags,
  summary: "what the policies in force would say of edited arguments; decides nothing",
  request: { params: IdParam, body: { ...json(schema.ForeseeBody), required: true } },
  responses: { 200: json(schema.Foreseen), ...problems },
});

export function approvalRoutes({ store, clock, person, decide: decided, foresee: foreseen }: ServerPorts) {
  return router()
    .openapi(list, async (c) => {
      const pending = await store.approvals({ state: "pending", limit: LIST_LIMIT });
      const latest = await store.approvals({ limit: LIST_LIMIT });
      const others = latest.filter((approval) => approval.state !== "pending");
      const now = clock.now();
      return c.json({ approvals: [...pending, ...others].map((approval) => approvalJson(approval, now)) }, 200);
    })
    .openapi(one, async (c) => {
      const approval = await store.approval(c.req.valid("param").id);
      if (approval === undefined) throw noApproval();
      return c.json(approvalJson(approval, clock.now()), 200);
    })
    .openapi(decide, async (c) => {
      const { args, note, verdict, version } = c.req.valid("json");
      if (args !== undefined && verdict === "deny") throw malformed("`args` stand beside `approve` only");
      const answer = await decided({
        approval: c.req.valid("param").id,
        by: person.approver,
        verdict,
        version,
        ...(args === undefined ? {} : { args }),
        ...(note === undefined ? {} : { note }),
      });
      return c.json(applied(answer, clock.now()), 200);
    })
    .openapi(foresee, async (c) => {
      const message = (await foreseen(c.req.valid("param").id, c.req.valid("json").args)) ?? null;
      return c.json({ allowed: message === null, message }, 200);
    });
}

const ANSWER_STATUS = { already_decided: 409, stale_version: 409, expired: 410, not_allowed: 422 } as const;

/** @throws ProblemError for every answer but `applied`: nobody may read one of them as success. */
function applied(answer: DecisionAnswer, now: number) {
  const said: Answer | undefined = answerOf(answer);
  if (said === undefined) throw noApproval();
  const { answer: word, message } = said;
  const approval = said.approval === undefined ? null : approvalJson(said.approval, now);
  if (word === "applied") return { answer: word, message, approval };
  throw new ProblemError({
    status: ANSWER_STATUS[word],
    code: word,
    detail: message,
    more: { answer: word, approval },
  });
}

function noApproval(): ProblemError {
  return new ProblemError({ status: 404, code: "approval.missing", detail: "there is no such approval" });
}

function malformed(detail: string): ProblemError {
  return new ProblemError({ status: 400, code: "request.malformed", detail });
}
