/** Questions and their answers. */
import { createRoute } from "@hono/zod-openapi";
import {
  type ApprovalRecord,
  answeredOf,
  askerOf,
  chosenGrant,
  type DecisionAnswer,
  type DecisionRequest,
  decideApproval,
  isAskerGone,
  isClosed,
  normalizeUnbound,
  typedArguments,
} from "@saferun/core";
import type { z } from "zod";
import type { ServerPorts } from "../ports.ts";
import { ProblemError } from "../problem.ts";
import { json, problems, router } from "../route.ts";
import * as schema from "../schemas/approvals.ts";
import { IdParam } from "../schemas/values.ts";
import { approvalJson, summaryJson } from "../wire/approval.ts";

const MOST_WAITING = 1_000;
/** Of those that are decided, the newest. */
const MOST_DECIDED = 200;
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
  responses: { 200: json(schema.ShownApproval), ...problems },
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

export function approvalRoutes(ports: ServerPorts) {
  const { store, clock, person } = ports;

  async function found(id: string): Promise<ApprovalRecord> {
    const approval = await store.approval(id);
    if (approval === undefined) throw noApproval();
    return approval;
  }

  /** Cards are read again and again, and finding who asked reads the run up to the question. */
  const askers = new Map<string, Promise<string | undefined>>();
  function asker(approval: ApprovalRecord): Promise<string | undefined> {
    const known = askers.get(approval.id) ?? askerOf(store, approval);
    if (askers.size >= MOST_WAITING) askers.clear();
    askers.set(approval.id, known);
    known.catch(() => askers.delete(approval.id));
    return known;
  }

  return router()
    .openapi(list, async (c) => {
      const pending = await store.approvals({ state: "pending", limit: MOST_WAITING + 1 });
      const latest = await store.approvals({ limit: MOST_DECIDED });
      const others = latest.filter((approval) => approval.state !== "pending");
      const now = clock.now();
      const shown = [...pending.slice(0, MOST_WAITING), ...others];
      const approvals = shown.map((approval) => summaryJson(approval, now));
      return c.json({ approvals, more: pending.length > MOST_WAITING }, 200);
    })
    .openapi(one, async (c) => {
      const approval = await found(c.req.valid("param").id);
      const asker_gone = !isClosed(approval.state) && (await isAskerGone(store, approval, asker(approval)));
      return c.json({ ...approvalJson(approval, clock.now()), asker_gone }, 200);
    })
    .openapi(decide, async (c) => {
      const request = requestOf(await found(c.req.valid("param").id), c.req.valid("json"));
      const answer = await decideApproval(ports, { ...request, by: person.approver });
      return c.json(applied(answer, person.hint, clock.now()), 200);
    })
    .openapi(foresee, async (c) => {
      const approval = await found(c.req.valid("param").id);
      const { tool, agent, environment } = approval;
      const edited = normalizeUnbound({ tool, agent, environment, args: c.req.valid("json").args });
      const message = edited.ok ? await ports.foresee?.(approval, edited.call) : edited.malformed.message;
      return c.json({ allowed: message === undefined, message: message ?? null }, 200);
    });
}

/** @throws ProblemError `request.malformed`, or `form.misfit` with what does not fit at each field. */
function requestOf(
  approval: ApprovalRecord,
  { args, fields, grant, note, verdict, version }: z.infer<typeof schema.DecideBody>,
): Omit<DecisionRequest, "by"> {
  if (verdict === "deny" && [args, fields, grant].some((one) => one !== undefined))
    throw malformed("`args`, `fields` and `grant` stand beside `approve` only");
  if (args !== undefined && fields !== undefined) throw malformed("give `args` or `fields`, not both");
  const typed = fields === undefined ? undefined : typedArguments(approval, new Map(Object.entries(fields)));
  const chosen = grant === undefined ? undefined : chosenGrant(approval, definedOf(grant));
  const mistakes = {
    fields: typed !== undefined && "mistakes" in typed ? typed.mistakes : [],
    grant: chosen !== undefined && "mistakes" in chosen ? chosen.mistakes : [],
  };
  if (mistakes.fields.length + mistakes.grant.length > 0) {
    const detail = "what was typed does not fit; nothing was decided";
    throw new ProblemError({ status: 422, code: "form.misfit", detail, more: { mistakes } });
  }
  return {
    ...{ approval: approval.id, verdict, version },
    ...(args === undefined ? {} : { args }),
    ...(typed !== undefined && "args" in typed ? { args: typed.args } : {}),
    ...(chosen !== undefined && "grant" in chosen ? { grant: chosen.grant } : {}),
    ...(note === undefined ? {} : { note }),
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** A key without a value is one that was not sent. */
function definedOf<T extends object>(of: T): Defined<T> {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Defined<T>;
}

const ANSWER_STATUS = { already_decided: 409, stale_version: 409, expired: 410, not_allowed: 422 } as const;

/** @throws ProblemError for every answer but `applied`: nobody may read one of them as success. */
function applied(result: DecisionAnswer, hint: (result: DecisionAnswer) => string, now: number) {
  const { answer, message, approval } = answeredOf(result);
  const shown = approval === undefined ? null : approvalJson(approval, now);
  if (answer === "applied") return { answer, message, approval: shown };
  throw new ProblemError({
    status: ANSWER_STATUS[answer],
    code: answer,
    detail: `${message}${hint(result)}`,
    more: { answer, approval: shown },
  });
}

function noApproval(): ProblemError {
  return new ProblemError({ status: 404, code: "approval.missing", detail: "there is no such approval" });
}

function malformed(detail: string): ProblemError {
  return new ProblemError({ status: 400, code: "request.malformed", detail });
}
