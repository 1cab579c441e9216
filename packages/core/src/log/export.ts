/**
 * The export format: the log as lines of JSON that verify offline, with the verifier that reads a store.
 *
 * The first line says what the file is and how large the log was; then entries in the order of the log with each
 * checkpoint behind the last entry that it covers; the last line counts them, so that a file that was cut short shows.
 * In an excerpt the first line holds a checkpoint, and behind each entry stands the proof that the entry is under it.
 * Header and parts stand as their stored bytes: as text where they are text, else in base64.
 */

import { SafeRunError } from "../errors.ts";
import type { TreeHead } from "../ports.ts";
import { fromBase64, toBase64 } from "../value/bytes.ts";
import {
  type ArchiveBase,
  baseJson,
  type NotedRotation,
  parseBase,
  parseRotations,
  rotationsJson,
} from "./archive-base.ts";
import type { StoredEntry, StoredPart } from "./entry.ts";
import { MOST_HASHES } from "./proof.ts";

const FORMAT = "log-export/v1";

/** What the first line says. */
export interface ExportHead extends TreeHead {
  /**
   * Id of the log. `size` and `root`: its head when the export began, of an excerpt the head that is signed in it; entries
   * from there on are not in it.
   */
  readonly log: string;
  /** The search that chose the entries; null for the whole log. */
  readonly query: string | null;
  /** The public key that the log claims to be signed with; null where it names none. */
  readonly key: string | null;
  /** Where the first entries are archived and therefore not in it: what the others rest on. */
  readonly base?: ArchiveBase;
  /** Of an excerpt: what its proofs lead to. */
  readonly signed?: SignedNote;
}

export interface SignedNote {
  /** A signed note over the head. */
  readonly note: string;
  /** Changes of the signing key in the log. */
  readonly rotations: readonly NotedRotation[];
}

/** An entry without its leaf, which whoever verifies computes. */
export type ExportedEntry = Pick<StoredEntry, "seq" | "header" | "parts">;

export type ExportLine =
  | { readonly kind: "head"; readonly head: ExportHead }
  | { readonly kind: "entry"; readonly entry: ExportedEntry }
  /** RFC 6962 inclusion path of the entry before it, from the leaf's sibling up. */
  | { readonly kind: "proof"; readonly seq: number; readonly path: readonly Uint8Array[] }
  | { readonly kind: "checkpoint"; readonly size: number; readonly note: string }
  | { readonly kind: "end"; readonly entries: number };

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** One line without its line break. */
export function formatExportLine(line: ExportLine): string {
  return oneLine(lineText(line));
}

/** JSON as one line for every reader of lines. */
export function oneLine(text: string): string {
  return OTHER_BREAKS.test(text) ? text.replace(OTHER_BREAKS_ALL, escaped) : text;
}

/** JSON escapes line feeds; many readers of lines end them at these too. */
const OTHER_BREAKS = /[\u0085\u2028\u2029]/;
const OTHER_BREAKS_ALL = /[\u0085\u2028\u2029]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function lineText(line: ExportLine): string {
  switch (line.kind) {
    case "head": {
      const { log, size, root, query, key, base, signed } = line.head;
      const rest = base === undefined || base.size === 0 ? {} : { base: baseJson(base) };
      const note = signed === undefined ? {} : { note: signed.note, ...rotationsJson(signed.rotations) };
      return JSON.stringify({ saferun: FORMAT, log, size, root: toBase64(root), query, key, ...rest, ...note });
    }
    case "entry": {
      const { seq, header, parts } = line.entry;
      return `{"seq":${seq},${bytesField("header", header)},"parts":[${parts.map(partText).join(",")}]}`;
    }
    case "proof":
      return `{"proof":{"seq":${line.seq},"path":[${line.path.map((hash) => `"${toBase64(hash)}"`).join(",")}]}}`;
    case "checkpoint":
      return JSON.stringify({ checkpoint: { size: line.size, note: line.note } });
    case "end":
      return JSON.stringify({ end: { entries: line.entries } });
  }
}

/**
 * Strict: the line must be one that `formatExportLine` could have written.
 * @throws SafeRunError `log.malformed`.
 */
export function parseExportLine(text: string): ExportLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("a line that is no JSON", cause);
  }
  if (!isMap(value)) throw malformed("a line that is no object");
  if (Object.hasOwn(value, "seq")) return { kind: "entry", entry: entryOf(value) };
  if (Object.hasOwn(value, "proof")) return proofOf(value.proof);
  if (Object.hasOwn(value, "checkpoint")) return checkpointOf(value.checkpoint);
  if (Object.hasOwn(value, "end")) {
    const entries = isMap(value.end) ? value.end.entries : undefined;
    if (!isPosition(entries)) throw malformed("an end without its number of entries");
    return { kind: "end", entries };
  }
  return { kind: "head", head: headOf(value) };
}

function headOf(value: Record<string, unknown>): ExportHead {
  const { saferun, log, size, root, query, key, note } = value;
  const base = value.base === undefined ? undefined : parseBase(value.base);
  if (saferun !== FORMAT) throw malformed(`no \`${FORMAT}\`: the first line of an export says what it is`);
  const bytes = typeof root === "string" ? fromBase64(root) : undefined;
  const rotations = parseRotations(value.rotations);
  if (
    typeof log !== "string" ||
    !isPosition(size) ||
    bytes?.length !== 32 ||
    !isTextOrNull(query) ||
    !isTextOrNull(key) ||
    (value.base !== undefined && base === undefined) ||
    (note !== undefined && typeof note !== "string") ||
    rotations === undefined
  ) {
    throw malformed("a first line without log, size, root, query and key");
  }
  const signed = note === undefined ? {} : { signed: { note, rotations } };
  return { log, size, root: bytes, query, key, ...(base === undefined ? {} : { base }), ...signed };
}

function entryOf(value: Record<string, unknown>): ExportedEntry {
  const { seq, parts } = value;
  const header = bytesOf(value, "header");
  if (!isPosition(seq) || header === undefined || !Array.isArray(parts)) {
    throw malformed("an entry without seq, header and parts");
  }
  return { seq, header, parts: parts.map(partOf) };
}

function partOf(value: unknown): StoredPart {
  const name = isMap(value) ? value.name : undefined;
  if (!isMap(value) || typeof name !== "string") throw malformed("a part without a name");
  if (value.erased === true) return { name, salt: null, bytes: null };
  const salt = typeof value.salt === "string" ? fromBase64(value.salt) : undefined;
  const bytes = bytesOf(value, "bytes");
  if (salt === undefined || bytes === undefined) throw malformed("a part without salt and bytes");
  return { name, salt, bytes };
}

function proofOf(value: unknown): ExportLine {
  const { seq, path } = isMap(value) ? value : {};
  const hashes = Array.isArray(path)
    ? path.flatMap((hash) => (typeof hash === "string" ? (fromBase64(hash) ?? []) : []))
    : undefined;
  if (!isPosition(seq) || hashes === undefined || !Array.isArray(path) || hashes.length !== path.length) {
    throw malformed("a proof without seq and path");
  }
  if (hashes.length > MOST_HASHES || hashes.some((hash) => hash.length !== 32))
    throw malformed("a proof without hashes");
  return { kind: "proof", seq, path: hashes };
}

function checkpointOf(value: unknown): ExportLine {
  const { size, note } = isMap(value) ? value : {};
  if (!isPosition(size) || typeof note !== "string") throw malformed("a checkpoint without size and note");
  return { kind: "checkpoint", size, note };
}

function partText({ name, salt, bytes }: StoredPart): string {
  const named = `{"name":${JSON.stringify(name)}`;
  if (salt === null || bytes === null) return `${named},"erased":true}`;
  return `${named},"salt":"${toBase64(salt)}",${bytesField("bytes", bytes)}}`;
}

/** `"header":"…"`, or `"header_base64":"…"` for bytes that are no UTF-8. */
function bytesField(name: string, bytes: Uint8Array): string {
  try {
    return `"${name}":${JSON.stringify(decoder.decode(bytes))}`;
  } catch {
    return `"${name}_base64":"${toBase64(bytes)}"`;
  }
}

function bytesOf(value: Record<string, unknown>, name: string): Uint8Array | undefined {
  const [text, encoded] = [value[name], value[`${name}_base64`]];
  if (typeof text === "string") return text.isWellFormed() ? encoder.encode(text) : undefined;
  return typeof encoded === "string" ? fromBase64(encoded) : undefined;
}

function malformed(what: string, cause?: unknown): SafeRunError {
  return new SafeRunError("log.malformed", `an export with ${what}`, cause === undefined ? {} : { cause });
}

function isPosition(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
