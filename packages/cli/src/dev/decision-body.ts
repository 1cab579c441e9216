/** What a client sends to decide an approval. Nothing in it is guessed: an unknown key is an error. */
import type { DecisionRequest, Json, JsonObject } from "@saferun/core";

export type DecisionBody = Pick<DecisionRequest, "verdict" | "note" | "args"> & { readonly version: number };

const KEYS = ["verdict", "version", "args", "note"];
const NOTE_LENGTH = 2_000;

export function readDecision(body: Json): DecisionBody | { readonly problem: string } {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return { problem: "the body must be an object" };
  const map = body as JsonObject;
  const unknown = Object.keys(map).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return { problem: `an unknown key; known are ${KEYS.join(", ")}` };
  const { verdict, version, args, note } = map;
  if (verdict !== "approve" && verdict !== "deny") return { problem: "`verdict` must be `approve` or `deny`" };
  if (typeof version !== "number" || !Number.isSafeInteger(version)) {
    return { problem: "`version` must be the version of the approval that was shown" };
  }
  if (note !== undefined && (typeof note !== "string" || note.length > NOTE_LENGTH)) {
    return { problem: `\`note\` must be a text of at most ${NOTE_LENGTH} characters` };
  }
  if (args !== undefined && verdict === "deny") return { problem: "`args` stand beside `approve` only" };
  return { verdict, version, ...(args === undefined ? {} : { args }), ...(note === undefined ? {} : { note }) };
}
