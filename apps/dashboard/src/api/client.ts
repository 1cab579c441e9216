/** The gate's API, typed by the server's own routes. */
import type { ServerApp } from "@saferun/server";
import { hc } from "hono/client";
import { problemOf, RequestProblem, UNREACHABLE } from "./problem.ts";
import { pageKey } from "./session.ts";

/** `fetch` with the page's key; never rejects but with a `RequestProblem`. */
export async function gateFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("x-saferun-page", pageKey());
  // The gate takes writes as JSON only, also those that say nothing more than their address.
  const isBare = init.method === "POST" && init.body == null;
  if (isBare) headers.set("content-type", "application/json");
  let response: Response;
  try {
    response = await fetch(input, {
      ...init,
      ...(isBare ? { body: "{}" } : {}),
      headers,
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    // It may have come as far as the gate: only a read is surely without effect.
    const unknown = init.method === "POST" ? "; whether this was done is not known, so look before you try again" : "";
    throw new RequestProblem(0, UNREACHABLE, `no answer came${unknown}`);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** `api.runs[":id"].$get({ param: { id } })`; its answer's `json()` has the route's type. */
export const api = hc<ServerApp>(location.origin, { fetch: gateFetch }).v1;

/** What a route answers with where it succeeds; `gateFetch` throws everything else. */
type Answered<Response> = Extract<Response, { status: 200 }> extends { json(): Promise<infer Body> } ? Body : never;

/** `await ask(api.runs.$get({ query: {} }))`: the body, typed by its route. */
export async function ask<Response extends { readonly status: number; json(): Promise<unknown> }>(
  answer: Promise<Response>,
): Promise<Answered<Response>> {
  return (await (await answer).json()) as Answered<Response>;
}
