/** What a message or a model's answer says, whatever its provider calls the pieces. */
import type { Json } from "../value/json.ts";
import { fieldOf, isMap, listOf, textOf } from "./content.ts";

/** A piece of it. `other`: anything that is none of these, as it is. */
export type Spoken =
  | { readonly kind: "text" | "reasoning"; readonly text: string }
  | { readonly kind: "call" | "result"; readonly tool: string; readonly value: Json }
  | { readonly kind: "other"; readonly value: Json };

/** Null where it is no message with a role. */
export function roleOf(message: Json): string | null {
  return textOf(fieldOf(message, "role"));
}

/** Of `{content}`, which is a text or a list of parts; null for anything else. */
export function spokenIn(message: Json): readonly Spoken[] | null {
  const content = fieldOf(message, "content");
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return Array.isArray(content) ? listOf(content).map(spoken) : null;
}

function spoken(part: Json): Spoken {
  const [type, text] = [textOf(fieldOf(part, "type")), textOf(fieldOf(part, "text"))];
  const tool = textOf(fieldOf(part, "toolName"));
  if (type === "text" && text !== null) return { kind: "text", text };
  if (type === "reasoning" && text !== null) return { kind: "reasoning", text };
  if (type === "tool-call" && tool !== null) return { kind: "call", tool, value: argumentsOf(fieldOf(part, "input")) };
  if (type === "tool-result" && tool !== null) return { kind: "result", tool, value: fieldOf(part, "output") ?? null };
  return { kind: "other", value: part };
}

/** A model's answer has them as JSON text, the message that repeats it as a value. */
function argumentsOf(input: Json | undefined): Json {
  if (typeof input !== "string") return input ?? null;
  try {
    return JSON.parse(input) as Json;
  } catch {
    return input;
  }
}

/** What a provider or a framework writes anew each time, whatever was said. */
const NAMES_ONLY: ReadonlySet<string> = new Set(["providerMetadata", "providerOptions", "toolCallId", "id"]);

/** The same without that: two messages that say the same are the same. */
export function withoutNames(message: Json): Json {
  if (!isMap(message)) return message;
  const { content } = message;
  const bare = unnamed(message);
  return isMap(bare) && Array.isArray(content) ? { ...bare, content: listOf(content).map(unnamed) } : bare;
}

function unnamed(part: Json): Json {
  return isMap(part) ? Object.fromEntries(Object.entries(part).filter(([key]) => !NAMES_ONLY.has(key))) : part;
}
