/** The part `redacted` of an entry: which of its parts hold a mask, and where. */

import type { PartDraft } from "../log/entry.ts";
import { encodePart } from "../log/part.ts";
import type { Random } from "../ports.ts";
import type { Json } from "../value/json.ts";

/** `{"arguments":["/card/number"]}`: JSON pointers into the content of the parts beside it. */
export const REDACTED_PART = "redacted";

const decoder = new TextDecoder();

/** The same parts where nothing was masked. */
export function withMaskedPaths(parts: readonly PartDraft[], random: Random): readonly PartDraft[] {
  const marked = parts.filter((part) => part.masked !== undefined && part.masked.length > 0);
  if (marked.length === 0) return parts;
  const before = parts.find(({ name }) => name === REDACTED_PART);
  const known = before === undefined ? {} : (JSON.parse(decoder.decode(before.bytes)) as Record<string, string[]>);
  const paths: Record<string, Json> = { ...known };
  for (const { name, masked = [] } of marked) paths[name] = [...new Set([...(known[name] ?? []), ...masked])].sort();
  const listed = { name: REDACTED_PART, salt: random.bytes(32), bytes: encodePart(paths) };
  return [...parts.filter((part) => part !== before).map(({ masked: _, ...part }) => part), listed];
}
