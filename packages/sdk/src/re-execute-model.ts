/** A recorded answer in the form in which a language model of the AI SDK gives it. */
import { fromBase64, type Json, type JsonObject, type ModelAnswer } from "@saferun/core";
import { recordedError } from "./re-execute.ts";

type Fields = Readonly<Record<string, unknown>>;

/** @throws the recorded error, where the model had failed. */
export function generated(answer: ModelAnswer): Fields {
  if (answer.type === "threw") throw recordedError(answer);
  const value = revived(answer.value);
  return { warnings: [], ...(typeof value === "object" ? value : {}) };
}

/** The same as a stream of whole parts; one that was cut off fails where it did. */
export function streamed(answer: ModelAnswer): Fields {
  const { content, finishReason, usage, warnings, providerMetadata, cutOff } = generated(answer);
  const parts: unknown[] = [{ type: "stream-start", warnings: Array.isArray(warnings) ? warnings : [] }];
  for (const [index, part] of (Array.isArray(content) ? (content as readonly Fields[]) : []).entries()) {
    const id = String(index);
    const { type, text, providerMetadata: metadata } = part;
    const more = metadata === undefined ? {} : { providerMetadata: metadata };
    if (type === "text" || type === "reasoning")
      parts.push(
        { type: `${type}-start`, id },
        { type: `${type}-delta`, id, delta: text },
        { type: `${type}-end`, id, ...more },
      );
    else if (type !== "tool-input") parts.push(part);
  }
  const more = providerMetadata === undefined ? {} : { providerMetadata };
  const cut = typeof cutOff === "string";
  if (!cut) parts.push({ type: "finish", finishReason, usage, ...more });
  const stream = new ReadableStream<unknown>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      if (cut) controller.error(new Error(cutOff));
      else controller.close();
    },
  });
  return { stream };
}

/** Bytes were recorded as text. */
function revived(value: Json): unknown {
  if (Array.isArray(value)) return value.map((item: Json) => revived(item));
  if (typeof value !== "object" || value === null) return value;
  const map = value as JsonObject;
  const bytes = map.encoding === "base64" && typeof map.data === "string" ? fromBase64(map.data) : undefined;
  return bytes ?? Object.fromEntries(Object.entries(map).map(([key, item]) => [key, revived(item)]));
}
