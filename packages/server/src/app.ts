/**
 * The HTTP API: fetch-style, so that the same app runs in Node, in tests and elsewhere. Who may ask is decided before it:
 * `saferun dev` and the server put their own check in front.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import { createActivity } from "./activity.ts";
import { strictJson } from "./json-body.ts";
import { createLooks } from "./looks.ts";
import { policyState } from "./policy-state.ts";
import type { ServerPorts } from "./ports.ts";
import { type Problem, problem, problemOf } from "./problem.ts";
import { aboutRoutes } from "./routes/about.ts";
import { approvalRoutes } from "./routes/approvals.ts";
import { logRoutes } from "./routes/log.ts";
import { policyRoutes } from "./routes/policies.ts";
import { protectionRoutes } from "./routes/protections.ts";
import { runRoutes } from "./routes/runs.ts";

/** Where drafts of policies are sent, and how large they may be together. */
const DRAFTS = /^\/v1\/(policies\/|runs\/[^/]+\/what-if$)/;
const DRAFT_BYTES = 16_777_216;

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT"];
const NO_PATH: Problem = { status: 404, code: "path.unknown", detail: "there is no such path" };
const NO_METHOD: Problem = { status: 405, code: "method.unknown", detail: "this method is not known here" };

export function createServerApp(ports: ServerPorts) {
  const activity = createActivity(ports.store, ports.clock);
  const looks = createLooks(ports);
  const stateNow = policyState(ports.store);
  const app = new OpenAPIHono();
  const [small, large] = [strictJson(), strictJson(DRAFT_BYTES)];
  app.use("/v1/*", (c, next) => (DRAFTS.test(c.req.path) ? large(c, next) : small(c, next)));
  app.onError((error, c) => problem(c, problemOf(error)));
  app.notFound((c) => problem(c, METHODS.includes(c.req.method) ? NO_PATH : NO_METHOD));
  const served = app
    .route("/v1", aboutRoutes(ports, activity, stateNow))
    .route("/v1", approvalRoutes(ports))
    .route("/v1", runRoutes(ports, activity, looks))
    .route("/v1", logRoutes(ports, activity, looks))
    .route("/v1", protectionRoutes(ports))
    .route("/v1", policyRoutes(ports, stateNow));
  app.doc31("/v1/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "SafeRun",
      version: "1",
      description: "The gate's API: approvals, runs, log, protections, policies.",
    },
  });
  return served;
}

/** For a typed client: `hc<ServerApp>(…)`. */
export type ServerApp = ReturnType<typeof createServerApp>;
