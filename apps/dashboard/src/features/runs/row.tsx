/** One run as a line that leads to it. All lines are of one height: a list of thousands knows where each stands. */
import { dollarsText, spanText } from "@saferun/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { api, ask } from "../../api/client.ts";
import { Badge, type BadgeTone } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time, useNow } from "../../ui/time.tsx";

export type RunSummary = Awaited<ReturnType<typeof ask<Awaited<ReturnType<typeof api.runs.$get>>>>>["runs"][number];

/** Logs from before agents had ids do not name those whose name is more than letters, digits and `_.:/@-`. */
export function agentText({ agent, agent_id: id }: Pick<RunSummary, "agent" | "agent_id">): string {
  // A name of blanks alone would leave nothing to see.
  const shown = agent.trim() === "" ? id : agent;
  return shown === "" ? "agent without a plain name" : shown;
}

/** Of one line, as `LINE` says it; a phone has no room for columns. */
export function ROW_PX(): number {
  return matchMedia("(width < 48rem)").matches ? 124 : 66;
}
const LINE = "h-[124px] border-b border-line md:h-[66px]";

export interface RunRowProps {
  readonly run: RunSummary;
  /** It takes the focus as soon as it is there. */
  readonly wanted: boolean;
  readonly onFocus: () => void;
}

export function RunRow({ run, wanted, onFocus }: RunRowProps) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (wanted) link.current?.focus({ preventScroll: true });
  }, [wanted]);
  return (
    <Link
      ref={link}
      to="/runs/$id"
      params={{ id: run.id }}
      onFocus={onFocus}
      className={`${LINE} grid grid-cols-[minmax(0,1fr)_auto] content-center items-center gap-x-4 gap-y-1 overflow-hidden px-4 hover:bg-sunken focus-visible:bg-sunken focus-visible:-outline-offset-2 md:grid-cols-[minmax(12rem,1.1fr)_minmax(14rem,1.6fr)_7.5rem_6rem]`}
    >
      <span className="min-w-0">
        <span className="flex items-center gap-2 overflow-hidden">
          <Untrusted className="truncate font-semibold">{agentText(run)}</Untrusted>
          <Liveness run={run} />
        </span>
        <span className="block truncate text-sm text-muted">
          <Untrusted>{run.environment}</Untrusted>
          {run.principal === null ? null : (
            <>
              {" for "}
              <Untrusted>{run.principal}</Untrusted>
            </>
          )}
          {" · "}
          <span className="font-mono">{run.id}</span>
        </span>
      </span>
      <span className="order-last col-span-2 min-w-0 space-y-1 md:order-none md:col-span-1">
        <Tools run={run} />
        <span className="flex items-center gap-1.5 overflow-hidden">
          <Verdicts run={run} />
        </span>
      </span>
      <span className="self-start pt-px text-right whitespace-nowrap md:self-auto md:text-left">
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
  );
}

/** In the place of a run that is being read. */
export function NoRow() {
  return (
    <div className={`${LINE} flex flex-col justify-center gap-2 px-4`}>
      <span className="sr-only">being read</span>
      <div className="h-3.5 w-40 max-w-full rounded bg-sunken motion-safe:animate-pulse" />
      <div className="h-3 w-72 max-w-full rounded bg-sunken motion-safe:animate-pulse" />
    </div>
  );
}

/** What moved a moment ago is taken to go on, where nobody knows better. */
const LIVE_MS = 15_000;

type Live = Pick<RunSummary, "waiting" | "last_at" | "stopped" | "going_on" | "ended">;

export function Liveness({ run }: { readonly run: Live }) {
  const { waiting, stopped, going_on, ended } = run;
  return (
    <>
      {stopped ? <Badge tone="deny">stopped</Badge> : null}
      {waiting === 0 ? null : <Badge tone="pause">{waiting} waiting</Badge>}
      {going_on > 0 ? <LiveBadge /> : ended || stopped ? null : <Lately at={run.last_at} />}
      {ended && waiting > 0 ? <Badge>its process has ended</Badge> : null}
    </>
  );
}

function Lately({ at }: { readonly at: string }) {
  return useNow() - Date.parse(at) < LIVE_MS ? <LiveBadge /> : null;
}

function LiveBadge() {
  return (
    <Badge tone="accent">
      <span aria-hidden="true" className="size-1.5 rounded-full bg-accent motion-safe:animate-pulse" />
      live
    </Badge>
  );
}

/** Of a line; the rest is counted. */
const SHOWN_TOOLS = 3;

function Tools({ run: { tools, more_tools } }: { readonly run: RunSummary }) {
  if (tools.length === 0) return null;
  const shown = tools.slice(0, SHOWN_TOOLS);
  const rest = tools.length - shown.length;
  return (
    <span className="block truncate">
      {shown.map(({ tool, calls }, at) => (
        <span key={tool}>
          {at === 0 ? "" : ", "}
          <Untrusted>{tool}</Untrusted>
          {calls === 1 ? null : <span className="text-muted tabular-nums"> ×{calls.toLocaleString()}</span>}
        </span>
      ))}
      {rest === 0 && !more_tools ? null : (
        <span className="text-muted">{more_tools ? " and more" : ` and ${rest} more`}</span>
      )}
    </span>
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
      <span className="mr-1 text-sm whitespace-nowrap text-muted tabular-nums">
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
