/** The header of an entry: the canonical JSON whose bytes are the leaf. */
import { SafeRunError } from "../errors.ts";
import type { EntryDraft, EntryType } from "./entry.ts";
import { ENTRY_TYPES } from "./entry.ts";

/** The format's version. */
export const HEADER_VERSION = 1;

/** An entry's place in a chain: its gapless number from 0 and the leaf of the chain's entry before it, hex. */
export interface ChainLink {
  readonly id: string;
  readonly n: number;
  readonly prev: string | null;
}

/**
 * What a header says. The position in the tree is not in it: the tree itself proves the position, and where writers
 * append in parallel it is not known yet when the header is made.
 */
export interface EntryHeader extends Omit<EntryDraft, "run" | "parts" | "keep"> {
  readonly v: typeof HEADER_VERSION;
  readonly log: string;
  readonly writer: ChainLink;
  /** The own chain of the run, so that a step left out of an excerpt shows. */
  readonly run?: ChainLink;
  /** Store time, ms since 1970; never before the entry before it. */
  readonly time: number;
  /** Commitment of each part, hex, by the part's name. */
  readonly parts?: Readonly<Record<string, string>>;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TYPES: ReadonlySet<string> = new Set(ENTRY_TYPES);

/**
 * Reads a header back.
 * @throws SafeRunError `log.malformed` when the bytes are no header of this format.
 */
export function parseHeader(bytes: Uint8Array): EntryHeader {
  return headerFrom(() => decoder.decode(bytes));
}

/** The same from the bytes' text. */
export function parseHeaderText(text: string): EntryHeader {
  return headerFrom(() => text);
}

function headerFrom(read: () => string): EntryHeader {
  let value: unknown;
  try {
    value = JSON.parse(read());
  } catch (cause) {
    throw new SafeRunError("log.malformed", "a log entry whose header is no JSON", { cause });
  }
  if (!isHeader(value))
    throw new SafeRunError("log.malformed", "a log entry whose header has not the shape of format 1");
  return value;
}

function isHeader(value: unknown): value is EntryHeader {
  if (!isMap(value)) return false;
  return (
    value.v === HEADER_VERSION &&
    typeof value.log === "string" &&
    isLink(value.writer) &&
    (value.run === undefined || isLink(value.run)) &&
    isCount(value.time) &&
    isEntryType(value.type) &&
    (value.parts === undefined || isTextMap(value.parts)) &&
    ["call", "within", "model", "tool", "agent", "environment", "verdict", "revision", "approval", "outcome"].every(
      (name) => isOptionalText(value[name]),
    ) &&
    (value.step === undefined || isCount(value.step)) &&
    (value.rules === undefined || isTextList(value.rules))
  );
}

function isEntryType(value: unknown): value is EntryType {
  return typeof value === "string" && TYPES.has(value);
}

function isLink(value: unknown): value is ChainLink {
  if (!isMap(value)) return false;
  const { id, n, prev } = value;
  return typeof id === "string" && isCount(n) && (n === 0 ? prev === null : typeof prev === "string");
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isTextMap(value: unknown): boolean {
  return isMap(value) && Object.values(value).every((item) => typeof item === "string");
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
