/** Errors over HTTP as problem details (RFC 9457). */
import { SafeRunError } from "@saferun/core";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

export interface Problem {
  readonly status: ContentfulStatusCode;
  /** A closed word for programs. */
  readonly code: string;
  /** One line for people. */
  readonly detail: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Thrown by a route; `onError` answers it. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "the request is malformed",
  401: "a token is needed",
  403: "the request is refused",
  404: "there is no such thing",
  405: "the method is not supported here",
  409: "the state is another one",
  410: "the time is over",
  413: "the body is too large",
  415: "the body must be JSON",
  421: "this is another host",
  422: "the request is not allowed",
  500: "the server failed",
  503: "the store cannot be used",
};

export function problem(c: Context, { status, code, detail, more = {} }: Problem): Response {
  const body = { type: "about:blank", title: TITLES[status] ?? "error", status, code, detail, ...more };
  return c.body(JSON.stringify(body), status, { "content-type": "application/problem+json" });
}

/** Codes of errors that the asker can mend; every other one says that the store cannot be used. */
const ASKERS: Readonly<Record<string, ContentfulStatusCode>> = {
  "query.invalid": 400,
  "option.invalid": 400,
  "policy.invalid": 422,
  "policy.syntax": 422,
  "policy.stale": 409,
};

export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof SafeRunError) {
    return { status: ASKERS[error.code] ?? 503, code: error.code, detail: error.message };
  }
  return { status: 500, code: "internal.error", detail: "the request failed; nothing was decided by it" };
}
