/** What is found, as lines: looks of one person that follow one another are one line, which unfolds. Nothing is left out. */
import type { LogItem } from "./search.ts";

export type Line =
  | { readonly kind: "item"; readonly key: string; readonly item: LogItem; readonly within: boolean }
  | {
      readonly kind: "views";
      readonly key: string;
      readonly who: string | null;
      /** The newest first. */
      readonly items: readonly LogItem[];
      readonly open: boolean;
    };

const VIEW = "payload.viewed";

/** @param turned Groups that somebody has unfolded, by their keys. */
export function linesOf(items: readonly LogItem[], turned: ReadonlySet<string>): readonly Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < items.length; ) {
    const item = items[at];
    if (item === undefined) break;
    const end = item.type === VIEW ? endOfViews(items, at) : at + 1;
    if (end - at < 2) lines.push({ kind: "item", key: String(item.seq), item, within: false });
    else {
      const views = items.slice(at, end);
      // The oldest names the group: newer looks join it, and it stays unfolded.
      const key = `views ${views.at(-1)?.seq}`;
      const open = turned.has(key);
      lines.push({ kind: "views", key, who: item.who, items: views, open });
      if (open) for (const one of views) lines.push({ kind: "item", key: String(one.seq), item: one, within: true });
    }
    at = end;
  }
  return lines;
}

function endOfViews(items: readonly LogItem[], from: number): number {
  const who = items[from]?.who;
  const end = items.findIndex((item, at) => at > from && (item.type !== VIEW || item.who !== who));
  return end === -1 ? items.length : end;
}

export function hasViews(items: readonly LogItem[]): boolean {
  return items.some(({ type }) => type === VIEW);
}

const WITHOUT = `-type:${VIEW}`;

/** Whether the query leaves looks out by its own words; and the query that does, or does no more. */
export function leavesViewsOut(query: string): boolean {
  return query.split(/\s+/).includes(WITHOUT);
}

export function turnViews(query: string): string {
  if (!leavesViewsOut(query)) return `${query} ${WITHOUT}`.trim();
  return query
    .split(/\s+/)
    .filter((term) => term !== WITHOUT)
    .join(" ");
}
