/** What a search finds, the newest first; what comes meanwhile waits above until it is wanted, or appears while one follows. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { ItemList } from "./item-list.tsx";
import { hasViews, leavesViewsOut, linesOf, turnViews } from "./lines.ts";
import { type LogAnswer, type LogItem, searchLog } from "./search.ts";

export interface FoundProps {
  readonly q: string;
  readonly follow: boolean;
  readonly chosen: number | undefined;
  readonly onChoose: (seq: number) => void;
  readonly onQuery: (q: string) => void;
}

export function Found({ q, follow, chosen, onChoose, onQuery }: FoundProps) {
  const queries = useQueryClient();
  const found = useInfiniteQuery({
    queryKey: ["log-found", q],
    async queryFn({ pageParam, signal }) {
      const answer = await searchLog(q, pageParam, signal);
      // The same question is not asked twice.
      if (pageParam === undefined) queries.setQueryData(["log", "newest", q], answer);
      return answer;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ cursor }) => cursor ?? undefined,
    placeholderData: (before) => before,
    // Nothing moves while somebody reads: what is new is asked for beside it.
    refetchOnWindowFocus: false,
  });
  const newest = useQuery({
    queryKey: ["log", "newest", q],
    queryFn: ({ signal }) => searchLog(q, undefined, signal),
    enabled: found.data !== undefined && !found.isPlaceholderData,
  });
  const read = found.data?.pages.flatMap((page) => page.items) ?? [];
  const { items, fresh, isGap } = merged(read, found.isPlaceholderData ? [] : (newest.data?.items ?? []), follow);
  const last = found.data?.pages.at(-1);
  const [turned, setTurned] = useState(NONE);
  const lines = linesOf(items, turned);
  const turn = (key: string) => {
    const next = new Set(turned);
    if (!next.delete(key)) next.add(key);
    setTurned(next);
  };
  const { hasNextPage, isFetching, fetchNextPage } = found;
  const wanted = useRef({ q, lines: 0 });
  const onEnd = useCallback(
    (count: number) => {
      if (wanted.current.q !== q) wanted.current = { q, lines: 0 };
      // Pages that bring no line, since all of it is folded, do not follow one another by themselves.
      if (!hasNextPage || isFetching || last?.cut === true || count <= wanted.current.lines) return;
      wanted.current = { q, lines: count };
      void fetchNextPage();
    },
    [q, hasNextPage, isFetching, fetchNextPage, last?.cut],
  );
  const showNew = () => queries.resetQueries({ queryKey: ["log-found", q] });
  const at = items.findIndex(({ seq }) => seq === chosen);
  const go = (to: number) => {
    const seq = items[Math.max(0, Math.min(items.length - 1, to))]?.seq;
    if (seq !== undefined) onChoose(seq);
  };
  useShortcuts([
    { keys: "j", does: "next entry", run: () => go(at + 1) },
    { keys: "k", does: "previous entry", run: () => go(at === -1 ? 0 : at - 1) },
  ]);
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (last === undefined) return <Skeleton lines={6} />;
  return (
    <>
      <div className="mb-2 flex min-h-9 flex-wrap items-center justify-between gap-2">
        <p className="text-sm text-muted" role="status">
          {countText(q, items, last)}
        </p>
        {leavesViewsOut(q) || hasViews(items) ? (
          <Button
            tone="quiet"
            aria-pressed={leavesViewsOut(q)}
            title="Writes it into the query"
            onClick={() => onQuery(turnViews(q))}
          >
            {leavesViewsOut(q) ? "Show looks again" : "Leave looks out"}
          </Button>
        ) : null}
        {fresh > 0 && (!follow || isGap) ? (
          <Button onClick={() => void showNew()}>
            {isGap ? "Many new" : `${fresh} new`}: show {fresh === 1 && !isGap ? "it" : "them"}
          </Button>
        ) : null}
      </div>
      {items.length === 0 ? (
        <Empty title={last.cut ? "Nothing found so far" : "Nothing found"}>
          {last.cut
            ? `It looked as far as entry ${last.reached ?? 0}, then the time was up. Go on below.`
            : "No call and no entry is like that. Words are whole words; end one with * for its beginnings."}
        </Empty>
      ) : (
        <ItemList lines={lines} chosen={chosen} onChoose={onChoose} onTurn={turn} onEnd={onEnd} />
      )}
      {found.hasNextPage ? (
        <div className="mt-4 text-center">
          <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {last.cut ? "Look further back" : "Older ones"}
          </Button>
        </div>
      ) : null}
    </>
  );
}

interface Merged {
  readonly items: readonly LogItem[];
  /** Items that are newer than what was read. */
  readonly fresh: number;
  /** More came than the newest page holds: between it and what was read something is missing. */
  readonly isGap: boolean;
}

/** What was read, each item as it stands now; and above it what is newer, where one follows. */
function merged(read: readonly LogItem[], newest: readonly LogItem[], follow: boolean): Merged {
  const now = new Map(newest.map((item) => [item.seq, item]));
  const top = read[0]?.seq ?? -1;
  const fresh = newest.filter(({ seq }) => seq > top);
  const isGap = read.length > 0 && fresh.length > 0 && fresh.length === newest.length && newest.length >= PAGE_FULL;
  const kept = read.map((item) => now.get(item.seq) ?? item);
  return { items: follow && !isGap ? [...fresh, ...kept] : kept, fresh: fresh.length, isGap };
}

const PAGE_FULL = 50;

function countText(q: string, items: readonly LogItem[], { indexed, size, cursor }: LogAnswer): string {
  const entries = `${size.toLocaleString()} entries`;
  const count = items.length.toLocaleString();
  const late = size - indexed;
  const shown =
    cursor !== null
      ? `The newest ${count}${q === "" ? " calls and events" : " that were found"}; older ones come as you scroll. The log has ${entries}.`
      : q === ""
        ? `${count} calls and events, of ${entries} in all: a call has several.`
        : `${count} found. The log has ${entries}.`;
  return late > 0 ? `${shown} The last ${late.toLocaleString()} are not searched yet.` : shown;
}

const NONE: ReadonlySet<string> = new Set();
