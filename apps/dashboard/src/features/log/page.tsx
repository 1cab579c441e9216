/** The record, searched: a word, a field, an argument. The query stands in the address, so that every answer is a link. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { Button } from "../../ui/button.tsx";
import { Card, PageHead } from "../../ui/card.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { EntryPanel } from "./entry-panel.tsx";
import { ItemRow } from "./item-row.tsx";
import { QueryHelp } from "./query-help.tsx";
import { SavedViews } from "./saved-views.tsx";
import { type LogItem, searchLog } from "./search.ts";

const route = getRouteApi("/log");
const TYPING_MS = 200;

export function LogPage() {
  const { q = "", entry } = route.useSearch();
  const navigate = route.useNavigate();
  const box = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(q);
  useEffect(() => setTyped(q), [q]);
  useEffect(() => {
    if (typed === q) return;
    const timer = setTimeout(
      () => void navigate({ search: typed === "" ? {} : { q: typed }, replace: true }),
      TYPING_MS,
    );
    return () => clearTimeout(timer);
  }, [typed, q, navigate]);
  useShortcuts([{ keys: "/", does: "search the log", run: () => box.current?.focus() }]);
  return (
    <>
      <PageHead title="Log" about="Every proposal, decision, answer and outcome, as it was recorded." />
      <search className="mb-4 block">
        <label htmlFor="query" className="sr-only">
          Search the log
        </label>
        <input
          id="query"
          ref={box}
          type="search"
          value={typed}
          autoComplete="off"
          spellCheck={false}
          placeholder={'tool:stripe.* verdict:deny args.amount>50000 "duplicate charge"'}
          onChange={(event) => setTyped(event.target.value)}
          className="min-h-11 w-full rounded-md border border-line-strong bg-surface px-3 font-mono placeholder:text-muted"
        />
        <div className="mt-2 flex flex-wrap items-center gap-2">
          <SavedViews query={q} onChoose={(query) => void navigate({ search: { q: query } })} />
          <QueryHelp onChoose={(query) => void navigate({ search: { q: query } })} />
        </div>
      </search>
      <Found
        q={q}
        chosen={entry}
        onChoose={(seq) => void navigate({ search: { ...(q === "" ? {} : { q }), entry: seq } })}
      />
      <EntryPanel seq={entry} onClose={() => void navigate({ search: q === "" ? {} : { q } })} />
    </>
  );
}

interface FoundProps {
  readonly q: string;
  readonly chosen: number | undefined;
  readonly onChoose: (seq: number) => void;
}

function Found({ q, chosen, onChoose }: FoundProps) {
  const found = useInfiniteQuery({
    queryKey: ["log", q],
    queryFn: ({ pageParam }) => searchLog(q, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ cursor }) => cursor ?? undefined,
    placeholderData: (before) => before,
  });
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  const last = found.data?.pages.at(-1);
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
      <p className="mb-2 text-sm text-muted" role="status">
        {countText(items, last)}
      </p>
      {items.length === 0 ? (
        <Empty title={last.cut ? "Nothing found so far" : "Nothing found"}>
          {last.cut
            ? `It looked as far as entry ${last.reached ?? 0}, then the time was up. Go on below.`
            : "No call and no entry is like that. Words are whole words; end one with * for its beginnings."}
        </Empty>
      ) : (
        <Card>
          <ul className="divide-y divide-line">
            {items.map((item) => (
              <ItemRow key={item.seq} item={item} chosen={item.seq === chosen} onChoose={() => onChoose(item.seq)} />
            ))}
          </ul>
        </Card>
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

function countText(
  items: readonly LogItem[],
  { indexed, size, cursor }: { readonly indexed: number; readonly size: number; readonly cursor: string | null },
): string {
  const shown = `${items.length.toLocaleString()}${cursor === null ? "" : " or more"} of ${size.toLocaleString()} entries' calls and events`;
  return indexed < size ? `${shown}; the last ${(size - indexed).toLocaleString()} entries are not indexed yet` : shown;
}
