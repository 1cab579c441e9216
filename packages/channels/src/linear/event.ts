/** What a webhook of Linear announces. Its words are a hint where to look: who said what is asked of Linear itself. */
import type { Json } from "@saferun/core";
import { at, textAt } from "../json-body.ts";

export type Announced = {
  readonly kind: "comment" | "prompt";
  readonly id: string;
  /** As it was signed: what stands there now must still be that. */
  readonly body: string;
};

/** Undefined: nothing that a person has just said and that begins like an answer. Edits of comments are none. */
export function announced(event: Json | undefined): Announced | undefined {
  return textAt(event, "type") === "AgentSessionEvent" ? prompt(event) : comment(event);
}

function comment(event: Json | undefined): Announced | undefined {
  if (textAt(event, "type") !== "Comment" || textAt(event, "action") !== "create") return undefined;
  const data = at(event, "data");
  const actorType = at(event, "actor", "type") ?? "user";
  const byMachine = (at(data, "botActor") ?? null) !== null || actorType !== "user";
  if (byMachine || (at(data, "editedAt") ?? null) !== null) return undefined;
  return announcedAs("comment", textAt(data, "id"), textAt(data, "body"));
}

function prompt(event: Json | undefined): Announced | undefined {
  const activity = at(event, "agentActivity");
  if (textAt(event, "action") !== "prompted" || textAt(activity, "content", "type") !== "prompt") return undefined;
  // A stop is no answer: nothing runs while the question stands, and silence denies.
  if (textAt(activity, "signal") === "stop") return undefined;
  return announcedAs("prompt", textAt(activity, "id"), textAt(activity, "content", "body"));
}

function announcedAs(kind: Announced["kind"], id: string | undefined, body: string | undefined): Announced | undefined {
  return id !== undefined && body !== undefined && isAnswer(body) ? { kind, id, body } : undefined;
}

export function isAnswer(body: string): boolean {
  return body.trimStart().startsWith("/");
}
