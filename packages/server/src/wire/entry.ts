/** Log entries as JSON for programs. */
import {
  contentGone,
  contentOf,
  type EntryHeader,
  type ErasureNote,
  type Json,
  type JsonObject,
  parseHeader,
  readableHeader,
  type SearchItem,
  type StoredEntry,
  type StoredPart,
  toHex,
  toWire,
} from "@saferun/core";
import type { z } from "zod";
import type { Entry, LogItem } from "../schemas/log.ts";
import { iso } from "./moment.ts";

/** @param erasure What took something out of it, where that is known. */
export function entryJson(entry: StoredEntry, erasure?: ErasureNote): z.infer<typeof Entry> {
  const { run, writer, log: _log, v: _v, time, parts: _commitments, rules, ...rest } = parseHeader(entry.header);
  return {
    ...rest,
    ...(rules === undefined ? {} : { rules: [...rules] }),
    seq: entry.seq,
    at: iso(time),
    run: run?.id ?? null,
    writer: writer.id,
    leaf: toHex(entry.leaf),
    parts: Object.fromEntries(entry.parts.map((part) => [part.name, partJson(part)])),
    gone: Object.fromEntries(
      entry.parts.flatMap((part) => (part.bytes === null ? [[part.name, toWire(contentGone(part, erasure))]] : [])),
    ),
  };
}

const decoder = new TextDecoder();

/** A part as programs read it: its value, else what became of it. What the log wrapped stays wrapped: nothing is guessed. */
export function partJson({ salt, bytes, sealed }: StoredPart): Json {
  if (bytes === null) {
    if (salt === null) return { erased: true };
    return sealed === undefined ? { unreadable: true } : { sealed: true, key: sealed };
  }
  try {
    return unwrappedJson(JSON.parse(decoder.decode(bytes)) as Json);
  } catch {
    return { damaged: true };
  }
}

/** An object with a field `encoding` of its own lies in a wrapper, so that it is not taken for one. */
export function unwrappedJson(value: Json): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { encoding, value: inner } = value as JsonObject;
  return encoding === "json" && inner !== undefined ? inner : value;
}

/** @param name The agent's, by what headers call it. */
export function itemJson({ seq, entries }: SearchItem, name: string | null): z.infer<typeof LogItem> {
  const headers = entries.map(readableHeader).filter((header): header is EntryHeader => header !== undefined);
  const [first] = headers;
  const decided = headers.filter(({ type }) => type === "call.decided");
  return {
    seq,
    at: first === undefined ? null : iso(first.time),
    type: first?.type ?? "(damaged)",
    run: first?.run?.id ?? null,
    call: first?.call ?? null,
    tool: headers.find(({ tool }) => tool !== undefined)?.tool ?? toolPart(entries),
    agent: name,
    verdicts: decided.flatMap(({ verdict }) => verdict ?? []),
    rules: [...new Set(decided.flatMap(({ rules }) => rules ?? []))],
    outcome: headers.findLast(({ outcome }) => outcome !== undefined)?.outcome ?? null,
    entries: entries.length,
    ...saidIn(entries),
  };
}

/** Parts in which a person stands with what they did. */
const BY_PEOPLE: readonly string[] = ["view", "act", "actor"];
const MOST_SAID = 256;

/** Who acted, and with what: `run run_1` of who looked, the reason of who stopped. */
function saidIn(entries: readonly StoredEntry[]): { readonly who: string | null; readonly about: string | null } {
  const part = entries.flatMap(({ parts }) => parts).find(({ name }) => BY_PEOPLE.includes(name));
  const said = part === undefined ? undefined : contentOf(part);
  const { by, what, runs, reason, note } = mapOf(said);
  const { id } = mapOf(by);
  const looked = [what, ...(Array.isArray(runs) ? runs : [])].filter((one) => typeof one === "string").join(" ");
  const about = [reason, note, looked].find((one) => typeof one === "string" && one !== "");
  return {
    who: typeof id === "string" ? id : null,
    about: typeof about === "string" ? about.slice(0, MOST_SAID) : null,
  };
}

function mapOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** Who an item is of, as its headers say it. */
export function agentIn({ entries }: SearchItem): { readonly agent: string; readonly run: string } | undefined {
  for (const entry of entries) {
    const { agent, run } = readableHeader(entry) ?? {};
    if (agent !== undefined) return { agent, run: run?.id ?? "" };
  }
  return undefined;
}

/** The name of a tool that is no plain one stands in a part. */
function toolPart(entries: readonly StoredEntry[]): string | null {
  const part = entries.flatMap(({ parts }) => parts).find(({ name }) => name === "tool");
  const value: Json | undefined = part === undefined ? undefined : contentOf(part);
  return typeof value === "string" ? value : null;
}
