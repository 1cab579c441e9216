/**
 * The HTTP app of `saferun dev`: fetch-style, so that it is the same under Node and in tests.
 * Order: our own host → the dashboard's files, which hold no data → the secret → the API.
 */
import { type Problem, ProblemError, problem, problemOf, strictJson } from "@saferun/server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { type Access, isOwnHost, isOwnRead, isOwnWrite } from "./access.ts";
import type { Page, PageFile } from "./page.ts";

export interface DevAppOptions {
  readonly port: number;
  readonly access: Access;
  readonly page: Page;
  /** The API: everything below `/v1`. */
  readonly api: { fetch(request: Request): Response | Promise<Response> };
}

/** Whoever reaches the port may send it, so that it must not fill the memory. */
const SESSION_BYTES = 1_024;
/** The header in which the page sends its half of the session. */
const PAGE_KEY = "x-saferun-page";
const YEAR_S = 31_536_000;

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export function createDevApp({ access, api, page, port }: DevAppOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  });
  app.onError((error, c) => problem(c, problemOf(error)));
  app.use(ownHost(port));

  app.post("/session", strictJson(SESSION_BYTES), async (c) => {
    if (!isOwnWrite(sourceOf(c))) return problem(c, FOREIGN);
    const body: unknown = await c.req.json();
    const code = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
    const session = typeof code === "string" ? access.redeem(code) : undefined;
    if (session === undefined) return problem(c, USED_LINK);
    setCookie(c, access.cookieName, session.cookie, { httpOnly: true, sameSite: "Strict", path: "/" });
    return c.json({ page_key: session.pageKey });
  });

  app.all("/v1/*", withSecret(access), (c) => api.fetch(c.req.raw));
  // The addresses of the pages are the dashboard's own: each of them is the shell, which holds no data.
  app.get("*", (c) => served(c, page.files.get(c.req.path) ?? (isPage(c.req.path) ? page.shell : undefined)));
  app.notFound((c) => problem(c, c.req.method === "GET" || c.req.method === "POST" ? NO_PATH : NO_METHOD));
  return app;
}

/** A file's path has a dot in its last part, an address of a page has none. */
function isPage(path: string): boolean {
  return !path.slice(path.lastIndexOf("/")).includes(".");
}

function served(c: Context, file: PageFile | undefined): Response {
  if (file === undefined) throw new ProblemError(NO_PATH);
  c.header("content-type", file.type);
  if (file.immutable) c.header("cache-control", `private, max-age=${YEAR_S}, immutable`);
  return c.body(file.bytes);
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
const NO_PATH: Problem = { status: 404, code: "path.unknown", detail: "there is no such path" };
const NO_METHOD: Problem = { status: 405, code: "method.unknown", detail: "this method is not known here" };
