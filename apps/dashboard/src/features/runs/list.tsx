/** A list of thousands of runs: what is in sight is in the page and is read; keys walk through all of it. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { WindowList, type WindowListHandle } from "../../ui/window-list.tsx";
import type { RunFilter } from "./filter.ts";
import { keyOf } from "./filter.ts";
import { lastPlace, leavePlace } from "./place.ts";
import { NoRow, ROW_PX, RunRow } from "./row.tsx";
import type { InSight, Runs } from "./use-runs.ts";

/** So far from the top one still looks at the newest. */
const TOP_PX = 40;

/** Whether the page stands at its top; a new filter begins there. */
export function useFollows(filter: RunFilter): boolean {
  const key = keyOf(filter);
  const [place, setPlace] = useState(() => ({ key, atTop: comesBack(key) === undefined }));
  const known = useRef(key);
  useLayoutEffect(() => {
    if (known.current !== key) scrollTo(0, 0);
    known.current = key;
    const look = () =>
      setPlace((before) => {
        const atTop = scrollY <= TOP_PX;
        return before.key === key && before.atTop === atTop ? before : { key, atTop };
      });
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, [key]);
  return place.key !== key || place.atTop;
}

/** Where somebody was in this list, who opened a run further down and is back. */
function comesBack(key: string) {
  const place = lastPlace();
  return place !== undefined && keyOf(place.filter) === key && place.scrollY > TOP_PX ? place : undefined;
}

export interface RunListProps {
  readonly filter: RunFilter;
  readonly runs: Runs;
  readonly onSight: (sight: InSight) => void;
}

/** A hand that drags the bar through thousands asks for what it stops at. */
const REST_MS = 60;

export function RunList({ filter, runs, onSight }: RunListProps) {
  const { total, at } = runs;
  const list = useRef<WindowListHandle>(null);
  const key = keyOf(filter);
  const before = lastPlace();
  const [chosen, setChosen] = useState<number | null>(() =>
    before !== undefined && keyOf(before.filter) === key ? before.at : null,
  );
  /** The row that is to get the focus as soon as it is there. */
  const [wanted, setWanted] = useState<number | null>(chosen);
  const sight = useRef<InSight>({ first: 0, last: 0 });
  const go = (to: number) => {
    if (total === 0) return;
    const next = Math.max(0, Math.min(total - 1, to));
    setChosen(next);
    setWanted(next);
    list.current?.show(keyAt(runs, next), "auto");
  };
  useShortcuts([
    { keys: "j", does: "next run; Enter opens it", run: () => go(chosen === null ? sight.current.first : chosen + 1) },
    { keys: "k", does: "previous run", run: () => go(chosen === null ? sight.current.first : chosen - 1) },
    { keys: "Home", does: "newest run", run: () => go(0) },
    { keys: "End", does: "oldest run", run: () => go(total - 1) },
  ]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const onRange = useCallback(
    (first: number, last: number) => {
      sight.current = { first, last };
      clearTimeout(timer.current);
      timer.current = setTimeout(() => onSight({ first, last }), REST_MS);
    },
    [onSight],
  );
  useEffect(() => () => clearTimeout(timer.current), []);
  usePlace({ filter, runs, chosen });
  const keys = Array.from({ length: total }, (_, index) => keyAt(runs, index));
  return (
    <Card>
      <WindowList
        ref={list}
        label="Runs"
        keys={keys}
        rowPx={ROW_PX()}
        gapPx={0}
        few={30}
        kept={chosen === null ? null : (keys[chosen] ?? null)}
        keepsBegun={false}
        onRange={onRange}
        row={(index) => {
          const run = at(index);
          return run === undefined ? (
            <NoRow />
          ) : (
            <RunRow
              run={run}
              wanted={index === wanted}
              onFocus={() => {
                setChosen(index);
                setWanted(null);
              }}
            />
          );
        }}
      />
    </Card>
  );
}

function keyAt({ at }: Runs, index: number): string {
  return at(index)?.id ?? `at ${index}`;
}

/** Remembers where one is, and goes back there once. */
function usePlace({
  filter,
  runs,
  chosen,
}: {
  readonly filter: RunFilter;
  readonly runs: Runs;
  readonly chosen: number | null;
}) {
  const key = keyOf(filter);
  useLayoutEffect(() => {
    const place = comesBack(key);
    if (place !== undefined) scrollTo(0, place.scrollY);
  }, [key]);
  const latest = useRef({ filter, runs, chosen });
  latest.current = { filter, runs, chosen };
  // In the same breath as the page goes: scrolling in the next one is none of its.
  useLayoutEffect(() => {
    const note = () => {
      const { filter, runs, chosen } = latest.current;
      leavePlace({ filter, from: runs.from, total: runs.total, scrollY, at: chosen });
    };
    addEventListener("scroll", note, { passive: true });
    document.addEventListener("focusin", note);
    return () => {
      removeEventListener("scroll", note);
      document.removeEventListener("focusin", note);
    };
  }, []);
}

/** Says how many are newer than what one reads, and leads to them. */
export function Newer({ count }: { readonly count: number }) {
  return (
    // Always there, so that what comes is read out.
    <div role="status" className="pointer-events-none sticky top-16 z-10 flex h-0 justify-center">
      {count === 0 ? null : (
        <Button
          tone="primary"
          className="pointer-events-auto h-11 rounded-full shadow-dialog md:h-9"
          onClick={() => scrollTo({ top: 0 })}
        >
          ↑ {count.toLocaleString()} new {count === 1 ? "run" : "runs"}
        </Button>
      )}
    </div>
  );
}
