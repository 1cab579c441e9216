/** Bodies are strict JSON: what two parsers could read differently is refused before any route sees it. */
import { JsonTextProblem, parseJson } from "@saferun/core";
import type { MiddlewareHandler } from "hono";
import { ProblemError } from "./problem.ts";

/** Arguments of the largest call, as text with escapes. */
const BODY_BYTES = 4_194_304;

const WITH_BODY: readonly string[] = ["POST", "PUT", "PATCH"];

/** A form can be sent by any page, JSON cannot: the type is checked first (traps.md, 25). */
export function strictJson(limit: number = BODY_BYTES): MiddlewareHandler {
  return async (c, next) => {
    if (!WITH_BODY.includes(c.req.method)) return next();
    const type = c.req.header("content-type") ?? "";
    if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(type)) {
      throw new ProblemError({ status: 415, code: "body.type", detail: "send `content-type: application/json`" });
    }
    const bytes = await bodyBytes(c.req.raw, limit);
    if (bytes === undefined) {
      throw new ProblemError({ status: 413, code: "body.large", detail: `a body has at most ${limit} bytes` });
    }
    c.req.raw = new Request(c.req.raw.url, {
      method: c.req.method,
      headers: c.req.raw.headers,
      body: strictText(bytes),
      signal: c.req.raw.signal,
    });
    return next();
  };
}

function strictText(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    parseJson(text);
    return text;
  } catch (error) {
    throw new ProblemError({ status: 400, code: "request.malformed", detail: textProblem(error) });
  }
}

function textProblem(error: unknown): string {
  if (error instanceof JsonTextProblem) return `line ${error.line}, column ${error.column}: ${error.message}`;
  if (error instanceof TypeError) return "the body is not UTF-8";
  throw error;
}

/** Undefined when it is larger; no more than the limit is ever kept, whatever length was announced. */
async function bodyBytes(request: Request, limit: number): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return undefined;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    length += piece.length;
    if (length > limit) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
