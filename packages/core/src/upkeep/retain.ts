/**
 * Content that is old enough goes: bytes and salts of parts, and what the rows of calls and approvals hold of it. Entries,
 * leaves and proofs stay, and an entry says what went, as for any erasure.
 */
import { part } from "../gate/record.ts";
import { archiveBase } from "../log/archive-base.ts";
import type { StoredEntry } from "../log/entry.ts";
import { ERASURE_PART, type ErasedParts, erasureContent, isErasable } from "../log/erasure.ts";
import { type EntryHeader, parseHeader } from "../log/header.ts";
import type { Random, Store } from "../ports.ts";
import { erasureGuard, openCalls } from "./archive.ts";
import { recordsOf } from "./erase.ts";

export interface RetentionRequest {
  /** Content of entries before this time goes, ms. */
  readonly before: number;
  /** Entries of one commit at most. */
  readonly most: number;
  readonly by: string;
  /** Stands in the log. */
  readonly reason: string;
}

export interface Retained {
  /** Positions of the entries that lost content. */
  readonly entries: readonly number[];
  /** More is old enough: ask again. */
  readonly more: boolean;
}

/** `30d`, `12h`, `90m` in ms: how long something is kept, also for years. Undefined for anything else. */
export function ageMs(text: string): number | undefined {
  const [, count, unit] = /^([1-9][0-9]{0,4})([mhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (unit === "d" ? DAY : unit === "h" ? DAY / 24 : DAY / 1_440);
}

const DAY = 86_400_000;

/** How far it is: row of kind `archive`. */
const ROW = "retained";
/** Entries that had to keep their content at first are looked at again; more than so many hold it up. */
const MOST_LEFT = 5_000;

interface Position {
  /** Entries before it were looked at. */
  readonly to: number;
  /** Those of them that still had to keep their content. */
  readonly left: readonly number[];
}

/** One commit at most. Any process may run it, and any number. @throws SafeRunError as the store does. */
export async function retain(store: Store, request: RetentionRequest, random: Random): Promise<Retained> {
  const row = await store.row("archive", ROW);
  const base = await archiveBase(store);
  const known = positionIn(row?.value);
  const open = await openCalls(store);
  const found = { parts: [] as ErasedParts[], calls: new Set<string>(), approvals: new Set<string>() };
  const left: number[] = [];

  /** False where it is too young, and so is all behind it. */
  async function look(entry: StoredEntry): Promise<boolean> {
    const header = parseHeader(entry.header);
    if (header.time >= request.before) return false;
    const names = entry.parts.filter(({ bytes }) => bytes !== null).map(({ name }) => name);
    if (names.length === 0 || !isErasable(header.type)) return true;
    if (open(header) !== undefined || (await isNeeded(store, header, request.before))) left.push(entry.seq);
    else {
      found.parts.push({ seq: entry.seq, names });
      if (header.call !== undefined) found.calls.add(header.call);
      if (header.approval !== undefined) found.approvals.add(header.approval);
    }
    return true;
  }

  for (const seq of known.left) {
    const [entry] = seq < base.size ? [] : await store.entries({ from: seq, limit: 1 });
    if (entry?.seq === seq) await look(entry);
  }
  const begin = Math.max(base.size, known.to);
  let to = begin;
  let more = false;
  if (left.length < MOST_LEFT) {
    for (const entry of await store.entries({ from: begin, limit: request.most })) {
      more = await look(entry);
      if (!more) break;
      to = entry.seq + 1;
    }
  }
  more &&= to > begin;
  const { parts } = found;
  if (parts.length === 0 && to === begin) return { entries: [], more: false };
  const value = { to, left };
  const content = part(ERASURE_PART, erasureContent(request.by, request.reason, parts), random);
  const written = await store.commit({
    ...(await recordsOf(store, found)),
    rows: [
      {
        row: { kind: "archive", id: ROW, version: (row?.version ?? 0) + 1, due: null, value },
        expect: row?.version ?? null,
      },
      await erasureGuard(store),
    ],
    entries: parts.length === 0 ? [] : [{ type: "log.erased", parts: [content] }],
    erase: parts,
  });
  // Somebody else was first: what is left is looked at again the next time.
  return written.ok ? { entries: parts.map(({ seq }) => seq), more } : { entries: [], more: false };
}

/** For whom a run is stands in its first entry: as long as it goes on, an erasure must be able to find it. */
async function isNeeded(store: Store, { type, run }: EntryHeader, before: number): Promise<boolean> {
  if (type !== "run.started" || run === undefined) return false;
  return ((await store.run(run.id))?.lastAt ?? 0) >= before;
}

function positionIn(value: unknown): Position {
  if (typeof value !== "object" || value === null || !("to" in value) || !("left" in value)) return { to: 0, left: [] };
  const { to, left } = value;
  const positions = Array.isArray(left) ? left.filter((seq) => typeof seq === "number") : [];
  return { to: typeof to === "number" ? to : 0, left: positions };
}
