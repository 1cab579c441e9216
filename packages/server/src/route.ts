/** What every route shares: how a body is described, and what a request that does not fit is told. */
import { OpenAPIHono, type z } from "@hono/zod-openapi";
import { problem } from "./problem.ts";
import { Problem } from "./schemas/values.ts";

export function json<Schema extends z.ZodType>(schema: Schema, description = "as asked") {
  return { description, content: { "application/json": { schema } } };
}

export const problems = {
  default: { description: "what went wrong", content: { "application/problem+json": { schema: Problem } } },
} as const;

export function router(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook: (result, c) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const path = issue === undefined ? "" : issue.path.map(String).join(".");
      const detail = `${path === "" ? "the request" : `\`${path}\``}: ${issue?.message ?? "does not fit"}`;
      return problem(c, { status: 400, code: "request.malformed", detail });
    },
  });
}
