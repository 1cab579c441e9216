/**
 * The last step before a transaction is stored: content that is not to be kept whole leaves, and what search must not find is
 * marked. After masking, so that a digest is never one of a secret; sealing comes last.
 */
import { toHex } from "../call.ts";
import { KEPT_WHOLE, type Keeping, keptValue } from "../keeping.ts";
import type { EntryDraft, PartDraft } from "../log/entry.ts";
import { encodePart } from "../log/part.ts";
import type { Hash, Random, Transaction } from "../ports.ts";
import { parseArgumentPath } from "../search/query.ts";
import { UNSEARCHED_PART } from "../search/unsearched.ts";
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { changedAt, pointersTo } from "./mask.ts";
import { withMaskedPaths } from "./masked-paths.ts";
import { type Sealing, sealedEntry, sealedIn } from "./seal.ts";

/** Where in a part the content of a call stands; arguments may hold paths of their own. */
const CONTENT: Readonly<Record<string, { readonly at: string; readonly isArguments: boolean }>> = {
  arguments: { at: "", isArguments: true },
  request: { at: "/arguments", isArguments: true },
  decision: { at: "/decision/changed/args", isArguments: true },
  result: { at: "", isArguments: false },
  error: { at: "", isArguments: false },
};

/**
 * The same transaction where everything in it is kept whole. @param sealing Absent: what is to be sealed keeps its mark, so
 * that the log refuses it unless the store seals by itself. @throws SafeRunError as `sealedEntry` does.
 */
export function keepContent(
  transaction: Transaction,
  hash: Hash,
  random: Random,
  sealing: Sealing | undefined,
): Transaction {
  const { calls = [], approvals = [], entries } = transaction;
  const known = new Map<string, Keeping>();
  for (const { row } of approvals) if (row.keep !== undefined) known.set(row.call, row.keep);
  for (const { row } of calls) if (row.keep !== undefined) known.set(row.id, row.keep);
  if (known.size === 0 && entries.every(({ keep }) => keep === undefined)) return transaction;
  return {
    ...transaction,
    entries: entries.map(({ keep = KEPT_WHOLE, ...entry }) => {
      const own = entry.call === undefined ? undefined : known.get(entry.call);
      const kept = own ?? keep;
      return sealedEntry(keptEntry(entry, kept, hash, random), kept, sealing);
    }),
  };
}

function keptEntry(entry: EntryDraft, keep: Keeping, hash: Hash, random: Random): EntryDraft {
  if (entry.parts === undefined || keep === KEPT_WHOLE) return entry;
  const unsearched: Record<string, Json> = {};
  const parts = entry.parts.map((part) => {
    const declared = Object.hasOwn(CONTENT, part.name) ? CONTENT[part.name] : undefined;
    if (declared === undefined) return part;
    if (sealedIn(part.bytes) !== undefined) return part;
    const content = JSON.parse(decoder.decode(part.bytes)) as Json;
    // What is no plain JSON has no places in it: all of it is meant.
    const place = isEncoded(content) ? { ...declared, at: "" } : declared;
    const pointers = hiddenIn(content, place, keep.unsearched);
    if (pointers.length > 0) unsearched[part.name] = pointers;
    return keep.record === "full" ? part : reduced(part, content, place.at, keep.record, hash);
  });
  const kept = withMaskedPaths(parts, random);
  const isMarked = kept.some(({ name }) => name === UNSEARCHED_PART);
  if (isMarked || Object.keys(unsearched).length === 0) return { ...entry, parts: kept };
  const list = { name: UNSEARCHED_PART, salt: random.bytes(32), bytes: encodePart(unsearched) };
  return { ...entry, parts: [...kept, list] };
}

function reduced(part: PartDraft, content: Json, at: string, record: "shape" | "digest", hash: Hash): PartDraft {
  const [place] = pointersTo(content, at.split("/").slice(1));
  if (place === undefined) return part;
  const { value, changed } = changedAt(content, place, (inner) => {
    // The second time nothing is left to take out. Further in, a call's own arguments may look like this.
    if (place === "" && isKept(inner)) return inner;
    const digest = (): string => toHex(hash.sha256(encoder.encode(canonicalJson(inner))));
    return record === "digest" ? { encoding: "digest", sha256: digest() } : keptValue(inner, record);
  });
  // For whoever reads it, this is a mask: nothing that rests on it can be reproduced.
  const masked = [...(part.masked ?? []), place];
  return changed ? { ...part, bytes: encoder.encode(canonicalJson(value)), masked } : part;
}

/** `encodePart` wraps whatever else looks like this. */
function isKept(value: Json): boolean {
  return isEncoded(value) && (value.encoding === "shape" || value.encoding === "digest");
}

function isEncoded(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && "encoding" in value;
}

/** JSON pointers to what search must not find. */
function hiddenIn(
  content: Json,
  { at, isArguments }: { readonly at: string; readonly isArguments: boolean },
  paths: readonly string[],
): string[] {
  if (paths.length > 0 && isArguments && isEncoded(content)) return [""];
  const outer = at.split("/").slice(1);
  const found = paths.flatMap((text) => {
    const path = text === "$" ? [] : parseArgumentPath(text);
    return path === undefined || (path.length > 0 && !isArguments) ? [] : pointersTo(content, [...outer, ...path]);
  });
  return [...new Set(found)].sort();
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
