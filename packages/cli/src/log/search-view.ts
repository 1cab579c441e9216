/** Answers of a search as text and as JSON. */

import {
  contentOf,
  type EntryHeader,
  type JsonObject,
  parseQuery,
  type Query,
  readableHeader,
  type SearchItem,
  textsIn,
  wordsOf,
} from "@saferun/core";
import { iso, partJson } from "@saferun/server/wire";
import type { SearchAnswer } from "@saferun/store";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import { moment } from "../output/time.ts";
import { entryJson, looker } from "./view.ts";

/** `behind`: entries that this search had to read first, because the index's thread had not. */
export function answerLines(answer: SearchAnswer, query: string, style: Style, behind: number): string[] {
  const { items, cursor, cut, reached, indexed, size } = answer;
  const lines = items.length === 0 ? [cut ? "nothing yet" : "nothing found"] : itemLines(items, query, style, true);
  if (cursor !== null) {
    const why = cut ? `looked as far as entry ${reached}, then the time was up` : "there may be more";
    lines.push(style.dim(`${why}; go on with --cursor ${cursor}`));
  }
  if (behind >= WORTH_SAYING) lines.push(style.dim(`the index was ${behind} entries behind, and is not any more`));
  if (indexed < size) lines.push(style.wait(`the last ${size - indexed} entries are not indexed yet`));
  return lines;
}

/** Entries of about a second: less is the index's ordinary lag. */
const WORTH_SAYING = 2_000;

export function itemLines(items: readonly SearchItem[], query: string, style: Style, heading: boolean): string[] {
  const wanted = textsAsked(parseQuery(query, Date.now()));
  const rows = items.map((item) => itemRow(item, style));
  const titles = ["ENTRY", "TIME", "WHAT", "VERDICT", "OUTCOME", "ABOUT"].map(style.dim);
  const [head = "", ...lines] = table([titles, ...rows]);
  const found = lines.flatMap((line, index) => [line, ...excerptLines(items[index], wanted, style)]);
  return heading ? [head, ...found] : found;
}

export function answerJson(answer: SearchAnswer, behind: number): JsonObject {
  const { items, cursor, cut, reached, indexed, size } = answer;
  return { items: items.map(itemJson), cursor, cut, reached, indexed, entries: size, behind };
}

export function itemJson(item: SearchItem): JsonObject {
  const said = summary(item);
  return {
    seq: item.seq,
    at: said.time === null ? null : iso(said.time),
    type: said.type,
    run: said.run,
    call: said.call,
    tool: said.tool,
    verdicts: said.verdicts,
    rules: said.rules,
    outcome: said.outcome,
    entries: item.entries.map((entry) =>
      readableHeader(entry) === undefined ? { seq: entry.seq, damaged: true } : entryJson(entry),
    ),
  };
}

interface Summary {
  readonly time: number | null;
  readonly type: string;
  readonly run: string | null;
  readonly call: string | null;
  readonly tool: string | null;
  readonly verdicts: readonly string[];
  readonly rules: readonly string[];
  readonly outcome: string | null;
}

function summary({ entries }: SearchItem): Summary {
  const headers = entries.map(readableHeader).filter((header): header is EntryHeader => header !== undefined);
  const [first] = headers;
  const decided = headers.filter(({ type }) => type === "call.decided");
  return {
    time: first?.time ?? null,
    type: first?.type ?? "(damaged)",
    run: first?.run?.id ?? null,
    call: first?.call ?? null,
    tool: headers.find(({ tool }) => tool !== undefined)?.tool ?? toolPart(entries),
    verdicts: decided.flatMap(({ verdict }) => verdict ?? []),
    rules: [...new Set(decided.flatMap(({ rules }) => rules ?? []))],
    outcome: headers.findLast(({ outcome }) => outcome !== undefined)?.outcome ?? null,
  };
}

/** The name of a tool that is no plain one stands in a part. */
function toolPart(entries: SearchItem["entries"]): string | null {
  const part = entries.flatMap(({ parts }) => parts).find(({ name }) => name === "tool");
  const value = part === undefined || part.bytes === null ? null : partJson(part);
  return typeof value === "string" ? value : null;
}

function itemRow(item: SearchItem, style: Style): string[] {
  const { time, type, run, call, tool, verdicts, rules, outcome } = summary(item);
  const [looked] = item.entries.flatMap((entry) => looker(entry) ?? []);
  return [
    style.dim(String(item.seq)),
    time === null ? "" : moment(time),
    short(call === null ? type : (tool ?? "(no name)"), 32),
    // A paused call is judged again before it runs, mostly to the same.
    verdicts
      .filter((verdict, index) => verdict !== verdicts[index - 1])
      .map((verdict) => tone(style, verdict))
      .join(style.dim(" → ")),
    outcome === null ? "" : tone(style, outcome),
    style.dim(short(looked ?? [rules.join(", "), run ?? ""].filter(Boolean).join("  "), 60)),
  ];
}

/** The words of a query that must be found, not those that must not. */
function textsAsked(query: Query): readonly Extract<Query, { kind: "text" }>[] {
  switch (query.kind) {
    case "text":
      return [query];
    case "and":
    case "or":
      return query.of.flatMap(textsAsked);
    default:
      return [];
  }
}

const EXCERPT = 100;

/** A line of the text in which the first of the words stands. */
function excerptLines(
  item: SearchItem | undefined,
  asked: readonly Extract<Query, { kind: "text" }>[],
  style: Style,
): string[] {
  for (const { words, prefix } of asked) {
    const [word = ""] = words;
    for (const part of item?.entries.flatMap(({ parts }) => parts) ?? []) {
      const content = contentOf(part);
      const text =
        content === undefined
          ? undefined
          : textsIn(part.name, content, { off: [] }).find((found) => {
              const own = wordsOf(found);
              return words.every((one, at) =>
                own.some((other) => (prefix && at === words.length - 1 ? other.startsWith(one) : other === one)),
              );
            });
      if (text !== undefined) return [`${style.dim(`  ${printable(part.name)}:`)} ${excerpt(text, word)}`];
    }
  }
  return [];
}

function excerpt(text: string, word: string): string {
  const at = text.toLowerCase().indexOf(word);
  const start = Math.max(0, at - 30);
  return `${start === 0 ? "" : "…"}${short(text.slice(start, start + EXCERPT * 4).toWellFormed(), EXCERPT)}`;
}
