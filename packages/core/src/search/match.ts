/** Whether a query holds for an item: the meaning of the query language, for stores without an index and for the index's doubts. */
import { unreachable } from "../errors.ts";
import type { StoredEntry } from "../log/entry.ts";
import { type EntryHeader, parseHeader } from "../log/header.ts";
import type { Json } from "../value/json.ts";
import { argumentsIn, idsOf, isOff, namesOf, type SearchScope, textsIn, valuesAt } from "./content.ts";
import { type ArgumentTest, fits, holds, type Query } from "./query.ts";
import { searchableParts } from "./unsearched.ts";
import { includesWords, wordsOf } from "./words.ts";

/** A call with all its entries, or one entry that is about no call. In the order of the log. */
export interface SearchItem {
  /** Position of its first entry: the item's own number. */
  readonly seq: number;
  readonly entries: readonly StoredEntry[];
}

/** Entries in the order of the log → items in the order of their first entries. */
export function itemsOf(entries: Iterable<StoredEntry>): SearchItem[] {
  const items: { seq: number; entries: StoredEntry[] }[] = [];
  const calls = new Map<string, StoredEntry[]>();
  for (const entry of entries) {
    const call = readableHeader(entry)?.call;
    const known = call === undefined ? undefined : calls.get(call);
    if (known !== undefined) known.push(entry);
    else {
      const item = { seq: entry.seq, entries: [entry] };
      items.push(item);
      if (call !== undefined) calls.set(call, item.entries);
    }
  }
  return items;
}

/** Undefined for an entry whose header was damaged: it is found by its number only. */
export function readableHeader(entry: Pick<StoredEntry, "header">): EntryHeader | undefined {
  try {
    return parseHeader(entry.header);
  } catch {
    return undefined;
  }
}

interface ReadEntry {
  readonly seq: number;
  readonly header: EntryHeader | undefined;
  readonly parts: readonly { readonly name: string; readonly content: Json }[];
}

/** Total. */
export function matches(query: Query, item: SearchItem, scope: SearchScope): boolean {
  const entries = item.entries.map(readEntry);
  const texts: string[][] = [];
  let read = false;

  /** Cut into words once, and only when a text is asked for. */
  function textsOfItem(): string[][] {
    if (!read) {
      for (const { parts } of entries) {
        for (const { name, content } of parts) texts.push(...textsIn(name, content, scope).map(wordsOf));
      }
      read = true;
    }
    return texts;
  }

  function test(asked: Query): boolean {
    switch (asked.kind) {
      case "all":
        return true;
      case "and":
        return asked.of.every(test);
      case "or":
        return asked.of.some(test);
      case "not":
        return !test(asked.of);
      case "name":
        return entries.some((entry) =>
          namesIn(entry).some(([field, value]) => field === asked.field && fits(asked.pattern, value)),
        );
      case "id":
        return entries.some(({ header }) => header !== undefined && hasId(header, asked));
      case "step":
        return entries.some(({ header }) => header?.step !== undefined && holds(asked.test, header.step));
      case "entry":
        return entries.some(({ seq }) => holds(asked.test, seq));
      case "time": {
        const time = entries[0]?.header?.time ?? 0;
        return time >= asked.from && time < asked.to;
      }
      case "argument":
        return !isOff(asked.path, scope) && entries.some((entry) => hasArgument(entry, asked));
      case "text":
        return textsOfItem().some((words) => includesWords(words, asked.words, asked.prefix));
      default:
        return unreachable(asked);
    }
  }
  return test(query);
}

/** True when a value of the argument passes the test. */
export function passes(test: ArgumentTest, value: string | number | boolean | null): boolean {
  switch (test.kind) {
    case "present":
      return true;
    case "number":
      return typeof value === "number" && holds(test.test, value);
    case "equal":
      return test.values.includes(value);
    case "pattern":
      return typeof value === "string" && fits(test.pattern, value);
  }
}

function readEntry(entry: StoredEntry): ReadEntry {
  return { seq: entry.seq, header: readableHeader(entry), parts: searchableParts(entry) };
}

function namesIn({ header, parts }: ReadEntry) {
  return header === undefined ? [] : namesOf(header, parts.find(({ name }) => name === "tool")?.content);
}

function hasId(header: EntryHeader, { field, prefix, value }: Extract<Query, { kind: "id" }>): boolean {
  return idsOf(header).some(([name, id]) => name === field && (prefix ? id.startsWith(value) : id === value));
}

function hasArgument({ parts }: ReadEntry, { path, test }: Extract<Query, { kind: "argument" }>): boolean {
  return parts.some(({ name, content }) => {
    const args = argumentsIn(name, content);
    return args !== undefined && valuesAt(args, path).some((value) => passes(test, value));
  });
}
