/**
 * The HTTP app of `saferun dev`: fetch-style, so that it is the same under Node and in tests.
 * Order: our own host → the secret → the route. Only the page's shell, which holds no data, is served without the secret.
 */
import { type Answered, type DecisionPorts, decideApproval, SafeRunError } from "@saferun/core";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { answered, answerJson } from "../approvals/answer.ts";
import { localApprover } from "../approvals/approver.ts";
import { runEntries, runSteps } from "../runs/steps.ts";
import { approvalJson, runJson, stepJson, summaryJson } from "../wire.ts";
import { type Access, isOwnHost, isOwnRead, isOwnWrite } from "./access.ts";
import { readDecision, requestOf } from "./decision-body.ts";
import { jsonBody } from "./json-body.ts";
import type { Page } from "./page.ts";
import { policyState } from "./policy-state.ts";
import { type Problem, problem } from "./problem.ts";

export interface DevAppOptions {
  readonly ports: DecisionPorts;
  readonly port: number;
  readonly access: Access;
  readonly page: Page;
  /** The account's name: nobody proves who sits in front of the browser. */
  readonly user: string;
}

const LIST_LIMIT = 200;
/** Whoever reaches the port may send it, so that it must not fill the memory. */
const SESSION_BYTES = 1_024;
/** The header in which the page sends its half of the session. */
const PAGE_KEY = "x-saferun-page";

const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export function createDevApp(options: DevAppOptions): Hono {
  const { access, page, ports } = options;
  const { store, clock } = ports;
  const policiesNow = policyState(store);
  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  });
  app.use(ownHost(options.port));

  for (const [path, file] of Object.entries(page)) {
    app.get(path, (c) => c.body(file.text, 200, { "content-type": file.type }));
  }
  app.post("/session", async (c) => {
    if (!isOwnWrite(sourceOf(c))) return problem(c, FOREIGN);
    const body = await jsonBody(c, SESSION_BYTES);
    if (body instanceof Response) return body;
    const code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
    const session = typeof code === "string" ? access.redeem(code) : undefined;
    if (session === undefined) return problem(c, USED_LINK);
    setCookie(c, access.cookieName, session.cookie, { httpOnly: true, sameSite: "Strict", path: "/" });
    return c.json({ page_key: session.pageKey });
  });

  app.use(withSecret(access));

  app.get("/health", async (c) => {
    const head = await store.head();
    const policies = await policiesNow();
    const status = policies?.state === "rejected" ? "policies_rejected" : "ok";
    return c.json({ status, log: store.logId, entries: head.size, user: options.user, policies });
  });
  app.get("/v1/approvals", async (c) => {
    const pending = await store.approvals({ state: "pending", limit: LIST_LIMIT });
    const latest = await store.approvals({ limit: LIST_LIMIT });
    const now = clock.now();
    const others = latest.filter((approval) => approval.state !== "pending");
    return c.json({ approvals: [...pending, ...others].map((approval) => summaryJson(approval, now)) });
  });
  app.get("/v1/approvals/:id", async (c) => {
    const approval = await store.approval(c.req.param("id"));
    return approval === undefined ? problem(c, NO_APPROVAL) : c.json(approvalJson(approval, clock.now()));
  });
  app.post("/v1/approvals/:id/decide", async (c) => {
    const body = await jsonBody(c);
    if (body instanceof Response) return body;
    const decision = readDecision(body);
    if ("problem" in decision) return problem(c, { status: 400, code: "request.malformed", detail: decision.problem });
    const approval = await store.approval(c.req.param("id"));
    if (approval === undefined) return problem(c, NO_APPROVAL);
    const read = requestOf(approval, decision);
    if (!("request" in read)) return problem(c, { ...MISFIT, more: { mistakes: { ...read } } });
    const by = localApprover(options.user, "dashboard");
    return told(c, answered(await decideApproval(ports, { ...read.request, by })), clock.now());
  });
  app.get("/v1/runs", async (c) => c.json({ runs: (await store.runs({ limit: LIST_LIMIT })).map(runJson) }));
  app.get("/v1/runs/:id", async (c) => {
    const run = await store.run(c.req.param("id"));
    if (run === undefined) return problem(c, NO_RUN);
    return c.json({ ...runJson(run), steps: runSteps(await runEntries(store, run.id)).map(stepJson) });
  });

  app.notFound((c) => problem(c, c.req.method === "GET" || c.req.method === "POST" ? NO_PATH : NO_METHOD));
  app.onError((error, c) => problem(c, failure(error)));
  return app;
}

const ANSWER_STATUS = { already_decided: 409, stale_version: 409, expired: 410, not_allowed: 422 } as const;

function told(c: Context, answer: Answered, now: number): Response {
  const body = answerJson(answer, now);
  if (answer.answer === "applied") return c.json(body);
  return problem(c, { status: ANSWER_STATUS[answer.answer], code: answer.answer, detail: answer.message, more: body });
}

function ownHost(port: number): MiddlewareHandler {
  return async (c, next) => (isOwnHost(c.req.header("host"), port) ? next() : problem(c, FOREIGN_HOST));
}

/** The account's token as a bearer, or our own page with its cookie and its key. */
function withSecret(access: Access): MiddlewareHandler {
  return async (c, next) => {
    const source = sourceOf(c);
    const reads = c.req.method === "GET" || c.req.method === "HEAD";
    const bearer = /^Bearer ([A-Za-z0-9_-]+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (bearer !== undefined && access.isToken(bearer)) return isOwnRead(source) ? next() : problem(c, FOREIGN);
    const session = { cookie: getCookie(c, access.cookieName) ?? "", pageKey: c.req.header(PAGE_KEY) ?? "" };
    if (!access.isSession(session)) return problem(c, NO_SECRET);
    return (reads ? isOwnRead(source) : isOwnWrite(source)) ? next() : problem(c, FOREIGN);
  };
}

function sourceOf(c: Context) {
  return {
    host: c.req.header("host") ?? "",
    origin: c.req.header("origin"),
    fetchSite: c.req.header("sec-fetch-site"),
  };
}

function failure(error: Error): Problem {
  if (error instanceof SafeRunError) return { status: 503, code: error.code, detail: error.message };
  return { status: 500, code: "internal.error", detail: "the request failed; nothing was decided by it" };
}

const FOREIGN_HOST: Problem = {
  status: 421,
  code: "host.foreign",
  detail: "only 127.0.0.1, localhost and [::1] at this port are served",
};
const FOREIGN: Problem = {
  status: 403,
  code: "origin.foreign",
  detail: "only the page of this server may ask for this",
};
const NO_SECRET: Problem = {
  status: 401,
  code: "token.missing",
  detail:
    "open the link that was printed where this page was started; each opens one browser, once. Programs send the token",
};
const USED_LINK: Problem = {
  status: 401,
  code: "link.used",
  detail: "this link was used or is too old; for a new one press Enter where `saferun dev` runs, or start it beside",
};
const MISFIT: Problem = {
  status: 422,
  code: "form.misfit",
  detail: "what was typed does not fit; nothing was decided",
};
const NO_APPROVAL: Problem = { status: 404, code: "approval.missing", detail: "there is no such approval" };
const NO_RUN: Problem = { status: 404, code: "run.missing", detail: "there is no such run" };
const NO_PATH: Problem = { status: 404, code: "path.unknown", detail: "there is no such path" };
const NO_METHOD: Problem = { status: 405, code: "method.unknown", detail: "only GET and POST are known here" };
