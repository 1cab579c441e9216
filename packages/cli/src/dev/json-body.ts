/** A request's body as strict JSON, or the answer that says why it is none. */
import { type Json, JsonTextProblem, parseJson } from "@saferun/core";
import type { Context } from "hono";
import { problem } from "./problem.ts";

/** Arguments of the largest call, as text with escapes. */
const BODY_BYTES = 4_194_304;

/** A form can be sent by any page, JSON cannot: the type is checked first (traps.md, 25). */
export async function jsonBody(c: Context, limit: number = BODY_BYTES): Promise<Json | Response> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(type)) {
    return problem(c, { status: 415, code: "body.type", detail: "send `content-type: application/json`" });
  }
  const bytes = await bodyBytes(c.req.raw, limit);
  if (bytes === undefined) {
    return problem(c, { status: 413, code: "body.large", detail: `a body has at most ${limit} bytes` });
  }
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return problem(c, { status: 400, code: "request.malformed", detail: textProblem(error) });
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
