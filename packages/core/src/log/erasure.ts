/** The entry `log.erased`: whose part says which content was taken out of the log, by whom and why. Never what it was. */
import type { Json } from "../value/json.ts";
import type { StoredEntry, StoredPart } from "./entry.ts";
import { parseHeader } from "./header.ts";

export const ERASURE_PART = "erasure";

export interface ErasedParts {
  readonly seq: number;
  readonly names: readonly string[];
}

/**
 * The content of the part: `{"by","reason","parts":[[12,"arguments"],[13,"decision","redacted"]]}`, and `keys`: those that were
 * destroyed with it, where content was sealed.
 */
export function erasureContent(
  by: string,
  reason: string,
  erased: readonly ErasedParts[],
  keys: readonly string[] = [],
): Json {
  return { by, reason, ...(keys.length === 0 ? {} : { keys }), parts: erased.map(({ seq, names }) => [seq, ...names]) };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What an erasure says it has taken out; nothing where it says nothing that can be read. */
export function erasedBy(parts: readonly StoredPart[]): readonly ErasedParts[] {
  const bytes = parts.find(({ name }) => name === ERASURE_PART)?.bytes ?? null;
  if (bytes === null) return [];
  let content: unknown;
  try {
    content = JSON.parse(decoder.decode(bytes));
  } catch {
    return [];
  }
  const list = typeof content === "object" && content !== null && "parts" in content ? content.parts : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: unknown) => {
    if (!Array.isArray(one)) return [];
    const [seq, ...names] = one as readonly unknown[];
    return typeof seq === "number" ? [{ seq, names: names.filter((name) => typeof name === "string") }] : [];
  });
}

/** Who took content out of the log, when and why, as the entry says it. */
export interface ErasureNote {
  readonly seq: number;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

/** Undefined for an entry that is no erasure, or does not say who made it. */
export function erasureNote({ seq, header, parts }: StoredEntry): ErasureNote | undefined {
  const { type, time } = parseHeader(header);
  const bytes = type === "log.erased" ? parts.find(({ name }) => name === ERASURE_PART)?.bytes : undefined;
  if (bytes === undefined || bytes === null) return undefined;
  const { by, reason } = JSON.parse(decoder.decode(bytes)) as { readonly by?: unknown; readonly reason?: unknown };
  return typeof by === "string" && typeof reason === "string" ? { seq, at: time, by, reason } : undefined;
}

/** The log's own entries prove it: nothing of them can be taken out. */
export function isErasable(type: string): boolean {
  return !type.startsWith("log.");
}
