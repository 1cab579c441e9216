/**
 * The page's half of the session. The link that opens the page carries a code in its fragment; it is exchanged once for a
 * cookie that no script can read and a key that lies in this origin's own storage, and both are wanted with each request.
 */
import { problemOf, RequestProblem, UNREACHABLE } from "./problem.ts";

const KEY = "page-key";

export function pageKey(): string {
  return localStorage.getItem(KEY) ?? "";
}

/** Takes the code out of the address bar and the history before anything else happens. */
export async function openSession(): Promise<void> {
  const code = location.hash.slice(1);
  if (!/^[A-Za-z0-9_-]{20,}$/.test(code)) return;
  history.replaceState(null, "", location.pathname + location.search);
  const response = await fetch("/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
    redirect: "error",
  }).catch(() => {
    throw new RequestProblem(0, UNREACHABLE, "the gate does not answer");
  });
  if (response.ok) {
    const body: unknown = await response.json();
    const key = typeof body === "object" && body !== null && "page_key" in body ? body.page_key : undefined;
    if (typeof key === "string") localStorage.setItem(KEY, key);
    return;
  }
  // A link that was used before is no obstacle in a browser that holds the session.
  if (pageKey() === "") throw await problemOf(response);
}
