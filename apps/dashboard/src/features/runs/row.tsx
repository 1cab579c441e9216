/** One run as a line that leads to it. */
import { dollarsText, spanText } from "@saferun/core";
import { Link } from "@tanstack/react-router";
import type { api, ask } from "../../api/client.ts";
import { Badge, type BadgeTone } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time, useNow } from "../../ui/time.tsx";

export type RunSummary = Awaited<ReturnType<typeof ask<Awaited<ReturnType<typeof api.runs.$get>>>>>["runs"][number];

/** A name that is more than letters, digits and `_.:/@-` does not stand where runs are listed from. */
export function agentText({ agent }: Pick<RunSummary, "agent">): string {
  return agent === "" ? "agent without a plain name" : agent;
}

export function RunRow({ run }: { readonly run: RunSummary }) {
  return (
    <li>
      <Link
        to="/runs/$id"
        params={{ id: run.id }}
        className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1.5 px-4 py-3 hover:bg-sunken focus-visible:-outline-offset-2 md:grid-cols-[minmax(12rem,1.2fr)_minmax(14rem,2fr)_8rem_6rem]"
      >
        <span className="min-w-0">
          <span className="flex items-center gap-2">
            <Untrusted className="truncate font-semibold">{agentText(run)}</Untrusted>
            <Liveness run={run} />
          </span>
          <span className="block truncate text-sm text-muted">
            <Untrusted>{run.environment}</Untrusted> · <span className="font-mono">{run.id}</span>
          </span>
        </span>
        <span className="order-last col-span-2 flex flex-wrap items-center gap-1.5 md:order-none md:col-span-1">
          <Verdicts run={run} />
        </span>
        <span className="text-right md:text-left">
          <Time at={run.started_at} />
          <span className="block text-sm text-muted">
            <span className="sr-only">lasted </span>
            {spanText(Date.parse(run.last_at) - Date.parse(run.started_at))}
          </span>
        </span>
        <span className="hidden text-right text-muted tabular-nums md:block">
          {run.usd_micros === null ? "" : dollarsText(run.usd_micros)}
        </span>
      </Link>
    </li>
  );
}

/** A run has no end of its own: what moved a moment ago is taken to go on. */
const LIVE_MS = 15_000;

export function Liveness({ run: { waiting, last_at } }: { readonly run: Pick<RunSummary, "waiting" | "last_at"> }) {
  const live = useNow() - Date.parse(last_at) < LIVE_MS;
  return (
    <>
      {waiting === 0 ? null : <Badge tone="pause">{waiting} waiting</Badge>}
      {live ? (
        <Badge tone="accent">
          <span aria-hidden="true" className="size-1.5 rounded-full bg-accent motion-safe:animate-pulse" />
          live
        </Badge>
      ) : null}
    </>
  );
}

const SHOWN: readonly (readonly [keyof NonNullable<RunSummary["counts"]>, string, BadgeTone])[] = [
  ["allowed", "allowed", "allow"],
  ["paused", "paused", "pause"],
  ["denied", "denied", "deny"],
  ["failed", "failed", "deny"],
  ["unknown", "outcome unknown", "deny"],
];

function Verdicts({ run: { counts, entries } }: { readonly run: RunSummary }) {
  if (counts === null) return <span className="text-sm text-muted">{entries.toLocaleString()} entries</span>;
  return (
    <>
      <span className="mr-1 text-sm tabular-nums">
        {counts.calls.toLocaleString()} {counts.calls === 1 ? "call" : "calls"}
      </span>
      {SHOWN.map(([name, word, tone]) =>
        counts[name] === 0 ? null : (
          <Badge key={name} tone={tone}>
            {counts[name].toLocaleString()} {word}
          </Badge>
        ),
      )}
    </>
  );
}
