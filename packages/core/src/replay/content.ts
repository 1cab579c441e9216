/** The content of entries as far as the log still holds it: what is gone or masked is said to be, never guessed. */
import type { StoredEntry, StoredPart } from "../log/entry.ts";
import type { ErasureNote } from "../log/erasure.ts";
import { type EntryHeader, parseHeader } from "../log/header.ts";
import { MASK } from "../redaction/mask.ts";
import { REDACTED_PART } from "../redaction/masked-paths.ts";
import type { Json, JsonObject } from "../value/json.ts";

/**
 * - `present`: the value as it was; at the JSON pointers of `masked` the log holds a mask in its place (`""`: all of it; also where
 *   policies had a shape or a digest kept).
 * - `encoded`: no plain JSON. `base64` and `utf-16` hold the exact bytes in base64, `text` the nearest text.
 * - `omitted`: it was over the limit, and only its length in bytes was kept, where that was known.
 * - `sealed`: its key is not at hand, or it is not what was sealed with it.
 * - `erased`: taken out of the log for good, or sealed with a key that was destroyed; the log says by whom and why.
 * - `missing`: the store does not have it, or it cannot be read. No erasure accounts for that here.
 */
export type Content =
  | { readonly state: "present"; readonly value: Json; readonly masked: readonly string[] }
  | {
      readonly state: "encoded";
      readonly encoding: "base64" | "utf-16" | "text";
      readonly value: string;
      readonly masked: readonly string[];
    }
  | { readonly state: "omitted"; readonly bytes: number | null }
  | { readonly state: "sealed"; readonly key: string }
  | { readonly state: "erased"; readonly erasure?: ErasureNote }
  | { readonly state: "missing" };

/** An entry whose header was read; its content is read when it is asked for. */
export interface RecordedEntry {
  readonly seq: number;
  readonly header: EntryHeader;
  /** Names of its parts, without the list of masks. */
  readonly names: readonly string[];
  /** Null where the entry has no such part. */
  part(name: string): Content | null;
}

/** Without bytes. `erasure`: what took it out, where that is known. */
export function contentGone({ salt, sealed }: StoredPart, erasure?: ErasureNote): Content {
  if (salt === null) return { state: "erased", ...(erasure === undefined ? {} : { erasure }) };
  return sealed === undefined ? { state: "missing" } : { state: "sealed", key: sealed };
}

/**
 * @param erasure The last one that took something out of it, where that is known.
 * @throws SafeRunError `log.malformed` for an entry whose header is none.
 */
export function readEntry(entry: StoredEntry, erasure?: ErasureNote): RecordedEntry {
  const header = parseHeader(entry.header);
  const parts = new Map(entry.parts.map((part) => [part.name, part]));
  const read = new Map<string, Content>();
  const content = (name: string, masked: () => readonly string[]): Content | null => {
    const known = read.get(name);
    if (known !== undefined) return known;
    const part = parts.get(name);
    if (part === undefined) return null;
    const made = part.bytes === null ? contentGone(part, erasure) : contentOfBytes(part.bytes, masked());
    read.set(name, made);
    return made;
  };
  const masks = (name: string) => (): readonly string[] => {
    const list = content(REDACTED_PART, () => []);
    if (list === null) return [];
    // A list that was taken out may have named any place.
    return list.state === "present" ? (textsOf(fieldOf(list.value, name)) ?? []) : [""];
  };
  const names = entry.parts.map((part) => part.name).filter((name) => name !== REDACTED_PART);
  return { seq: entry.seq, header, names, part: (name) => content(name, masks(name)) };
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Of the bytes of a part. */
export function contentOfBytes(bytes: Uint8Array, masked: readonly string[]): Content {
  let value: Json;
  try {
    value = JSON.parse(decoder.decode(bytes)) as Json;
  } catch {
    return { state: "missing" };
  }
  const encoding = fieldOf(value, "encoding");
  switch (encoding) {
    case undefined:
      return { state: "present", value, masked };
    case "json":
      return { state: "present", value: fieldOf(value, "value") ?? null, masked };
    case "shape":
    case "digest":
      return { state: "present", value, masked: [""] };
    case "omitted": {
      const size = fieldOf(value, "bytes");
      return { state: "omitted", bytes: typeof size === "number" ? size : null };
    }
    case "base64":
    case "utf-16":
    case "text": {
      const text = fieldOf(value, encoding === "text" ? "text" : "data");
      return typeof text === "string" ? { state: "encoded", encoding, value: text, masked } : { state: "missing" };
    }
    default:
      return { state: "missing" };
  }
}

/** The value of content that is whole, plain and without a mask; undefined for any other. */
export function exactValue(content: Content | null): Json | undefined {
  return content?.state === "present" && content.masked.length === 0 ? content.value : undefined;
}

/** What lies below a path of keys, with the masks that lie there; null where there is nothing. */
export function contentAt(content: Content | null, ...keys: readonly string[]): Content | null {
  if (content?.state !== "present") return content;
  let value: Json | undefined = content.value;
  let masked = content.masked;
  for (const key of keys) {
    value = fieldOf(value, key);
    const start = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    masked = masked.flatMap((path) =>
      path === "" ? [""] : path === start || path.startsWith(`${start}/`) ? [path.slice(start.length)] : [],
    );
  }
  // Below a mask there may have been anything.
  if (value === undefined) return masked.includes("") ? { state: "present", value: MASK, masked: [""] } : null;
  return { state: "present", value, masked };
}

/** The value as far as it can be read, masks and all; undefined where it is gone. */
export function shownValue(content: Content | null): Json | undefined {
  return content?.state === "present" ? content.value : undefined;
}

/** An object's own field; undefined for anything else. */
export function fieldOf(value: Json | undefined, key: string): Json | undefined {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

export function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

export function textsOf(value: Json | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
