/** One step of each run, side by side where there is room, and in what they differ. */
import { changedPaths, dollarsText, type Json, spanText } from "@saferun/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { valueAt } from "../../ui/value-at.ts";
import { words } from "../../ui/words.ts";
import type { Pair } from "./comparison.ts";

interface PairProps {
  /** Ids of the two runs. */
  readonly left: string;
  readonly right: string;
  readonly pair: Pair;
}

/** Two columns, the first run in the first; one above the other on a small screen. */
const COLUMNS = "grid gap-x-4 lg:grid-cols-2";

/** @param props `current`: it was jumped to, and takes the focus. */
export function OnePair({ left, right, pair, current }: PairProps & { readonly current: boolean }) {
  const article = useRef<HTMLElement>(null);
  useEffect(() => {
    if (current) article.current?.focus({ preventScroll: true });
  }, [current]);
  return (
    <article
      ref={article}
      tabIndex={-1}
      aria-label={`difference at ${numbersText(pair)}`}
      className={words(
        "rounded-card border bg-surface px-4 py-3",
        current ? "border-accent ring-1 ring-accent" : "border-line",
      )}
    >
      <div className={words(COLUMNS, "gap-y-1")}>
        <PairSide run={left} place={pair.left} name="first" />
        <PairSide run={right} place={pair.right} name="second" />
      </div>
      {pair.differences.map((difference) => (
        <OneDifference key={`${difference.what} ${difference.where}`} difference={difference} />
      ))}
    </article>
  );
}

function PairSide({ run, place, name }: { readonly run: string; readonly place: Pair["left"]; readonly name: string }) {
  if (place === null) {
    const other = name === "first" ? "second" : "first";
    return (
      <p className="rounded-md border border-dashed border-line-strong px-2 py-0.5 text-muted">
        not in the {name} run: <span className="font-semibold">only in the {other}</span>
      </p>
    );
  }
  return (
    <h3 className="flex min-w-0 items-baseline gap-x-3">
      <Untrusted className="truncate font-semibold">{place.name}</Untrusted>
      <Link
        to="/runs/$id"
        params={{ id: run }}
        search={{ step: place.number }}
        className="shrink-0 text-sm text-accent underline underline-offset-2"
      >
        {name}, step {place.number}
      </Link>
    </h3>
  );
}

/** `step 3`, or `step 3 and 4` where it stands elsewhere in the second. */
export function numbersText({ left, right }: Pair): string {
  const [one, other] = [left?.number, right?.number];
  return one === undefined || other === undefined || one === other
    ? `step ${one ?? other}`
    : `step ${one} of the first, ${other} of the second`;
}

const SMALL: Readonly<Record<string, (value: string) => string>> = {
  time: (value) => spanText(Number(value)),
  cost: (value) => (/^\d+$/.test(value) ? dollarsText(value) : value),
};

const NAMES: Readonly<Record<string, string>> = { ran: "ran with", state: "ended" };

export interface OneDifferenceProps {
  readonly difference: Omit<Pair["differences"][number], "where"> & { readonly where?: string | null };
}

export function OneDifference({ difference: { what, where = null, left, right } }: OneDifferenceProps) {
  const small = SMALL[what];
  if (small !== undefined) {
    return (
      <p className={words(COLUMNS, "mt-1 grid-cols-2 text-sm text-muted tabular-nums")}>
        <span>
          {what} {small(left)}
        </span>
        <span>
          {what} {small(right)}
        </span>
      </p>
    );
  }
  return (
    <div className="mt-2">
      <p className="mb-1 text-sm text-muted">
        {NAMES[what] ?? what}
        {where === null ? null : (
          <>
            , <Untrusted>{where}</Untrusted>
          </>
        )}
      </p>
      <Values left={parsed(left)} right={parsed(right)} />
    </div>
  );
}

/** Of two trees what differs, path by path; anything else whole. */
function Values({ left, right }: { readonly left: Json; readonly right: Json }) {
  if (!isTree(left) || !isTree(right)) return <Sides left={left} right={right} />;
  const paths = changedPaths(left, right);
  return (
    <div className="space-y-2">
      {paths.slice(0, MOST).map((path) => (
        <div key={path}>
          <p className="font-mono text-[0.92em] text-muted">
            <Untrusted>{path}</Untrusted>
          </p>
          <Sides left={valueAt(left, path)} right={valueAt(right, path)} />
        </div>
      ))}
      {paths.length > MOST ? <p className="text-muted">and {paths.length - MOST} more</p> : null}
    </div>
  );
}

const MOST = 100;

function Sides({ left, right }: { readonly left: unknown; readonly right: unknown }) {
  return (
    <div className={words(COLUMNS, "font-mono text-[0.92em]")}>
      <Value sign="−" name="first" className="bg-deny-soft max-lg:rounded-t lg:rounded">
        {left}
      </Value>
      <Value sign="+" name="second" className="bg-allow-soft max-lg:rounded-b lg:rounded">
        {right}
      </Value>
    </div>
  );
}

interface ValueProps {
  readonly sign: string;
  readonly name: string;
  readonly className: string;
  readonly children: unknown;
}

function Value({ sign, name, className, children }: ValueProps) {
  return (
    <div className={words("flex min-w-0 gap-2 px-2 py-1", className)}>
      <span aria-hidden="true" className="select-none">
        {sign}
      </span>
      <span className="sr-only">{name}: </span>
      <div className="min-w-0 flex-1 overflow-x-auto">
        {children === "" || children === undefined ? <span>none</span> : <JsonTree value={children} />}
      </div>
    </div>
  );
}

/** Values come as canonical JSON, what was said of them as text. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function isTree(value: Json): boolean {
  return typeof value === "object" && value !== null;
}

export interface FoldProps {
  readonly count: number;
  readonly open: boolean;
  readonly onTurn: () => void;
}

export function Fold({ count, open, onTurn }: FoldProps) {
  return (
    <button
      type="button"
      aria-expanded={open}
      onClick={onTurn}
      className="flex min-h-11 w-full items-center gap-2 rounded-card border border-dashed border-line px-4 text-left text-muted hover:bg-sunken md:min-h-9"
    >
      <span aria-hidden="true">{open ? "▾" : "▸"}</span>
      {count === 1 ? "1 equal step" : `${count.toLocaleString()} equal steps`}
    </button>
  );
}

export function EqualPair({ left, right, pair }: PairProps) {
  return (
    <div className="px-4 text-muted">
      <div className={COLUMNS}>
        <PairSide run={left} place={pair.left} name="first" />
        <PairSide run={right} place={pair.right} name="second" />
      </div>
      {pair.differences.map((difference) => (
        <OneDifference key={`${difference.what} ${difference.where}`} difference={difference} />
      ))}
    </div>
  );
}
