/**
 * The runs in sight, as they stand now. At the top the list follows the newest; further down it stays as it was when one left
 * the top, and says how many are newer.
 */
import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { keyOf, type RunFilter } from "./filter.ts";
import { lastPlace } from "./place.ts";
import { PAGE, type RunAnswer, readRuns } from "./read.ts";
import type { RunSummary } from "./row.tsx";

/** A process that dies says nothing: what goes on is looked at again. */
const LOOK_AGAIN_MS = 10_000;

export interface Runs {
  /** The newest answer about what is in sight; undefined before the first. */
  readonly answer: RunAnswer | undefined;
  readonly total: number;
  /** Newer ones that are not shown. */
  readonly newer: number;
  /** The run at a place of the list; undefined where it has not been read yet. */
  readonly at: (index: number) => RunSummary | undefined;
  /** The first run of the list. */
  readonly from: string | undefined;
  readonly error: Error | null;
  readonly retry: () => void;
}

export interface InSight {
  readonly first: number;
  readonly last: number;
}

/** Pages that have been read, of one filter from one run on. */
interface Kept {
  readonly of: string;
  readonly pages: Map<number, RunAnswer>;
}

/** @param follows Whether the newest is followed. */
export function useRuns(filter: RunFilter, follows: boolean, inSight: InSight): Runs {
  const key = keyOf(filter);
  const [held, setHeld] = useState(() => heldBefore(key));
  const top = useQuery({
    queryKey: ["runs", "list", key, "top"],
    queryFn: ({ signal }) => readRuns(filter, undefined, 0, signal),
    enabled: follows,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.runs.some(({ going_on }) => going_on > 0) ? LOOK_AGAIN_MS : false),
  });
  const newest = top.isPlaceholderData ? undefined : top.data?.runs[0]?.id;
  useEffect(() => {
    if (follows && newest !== undefined) setHeld({ key, from: newest });
  }, [follows, newest, key]);
  const from = follows ? newest : held?.key === key ? held.from : undefined;
  const wanted = pagesIn(inSight).filter((page) => page > 0 || !follows);
  const read = useQueries({
    queries: wanted.map((page) => ({
      queryKey: ["runs", "list", key, from ?? "", page],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => readRuns(filter, from, page, signal),
      enabled: from !== undefined,
    })),
  });
  const kept = useKept(`${key} ${from}`);
  if (follows && top.data !== undefined) kept.set(0, top.data);
  for (const [at, page] of wanted.entries()) {
    const data = read[at]?.data;
    if (data !== undefined) kept.set(page, data);
  }
  const answer = follows ? top.data : (read.find(({ data }) => data !== undefined)?.data ?? kept.get(0));
  const failed = [...(follows ? [top] : []), ...read].find(({ error }) => error !== null);
  return {
    answer,
    total: answer?.total ?? (held?.key === key ? (lastPlace()?.total ?? 0) : 0),
    newer: follows ? 0 : (answer?.newer ?? 0),
    at: (index) => kept.get(Math.floor(index / PAGE))?.runs[index % PAGE],
    from,
    error: failed?.error ?? null,
    retry: () => void failed?.refetch(),
  };
}

/** What was read stays, also where it is out of sight: it is looked at again when one comes back to it. */
function useKept(of: string): Map<number, RunAnswer> {
  const kept = useRef<Kept>({ of, pages: new Map() });
  if (kept.current.of !== of) kept.current = { of, pages: new Map() };
  return kept.current.pages;
}

function heldBefore(key: string): { readonly key: string; readonly from: string } | undefined {
  const place = lastPlace();
  if (place?.from === undefined || keyOf(place.filter) !== key) return undefined;
  return { key, from: place.from };
}

function pagesIn({ first, last }: InSight): readonly number[] {
  const [from, to] = [Math.floor(first / PAGE), Math.floor(last / PAGE)];
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
}
