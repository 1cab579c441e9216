/** One step of each run, and in what they differ. */

import type { Json } from "@saferun/core";
import { dollarsText, spanText } from "@saferun/core";
import { Link } from "@tanstack/react-router";
import { Badge } from "../../ui/badge.tsx";
import { Difference } from "../../ui/difference.tsx";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Untrusted } from "../../ui/text.tsx";
import type { Pair } from "./comparison.ts";

interface PairProps {
  /** Ids of the two runs. */
  readonly left: string;
  readonly right: string;
  readonly pair: Pair;
}

export function OnePair({ left, right, pair }: PairProps) {
  const { match, differences } = pair;
  return (
    <article className="rounded-card border border-line bg-surface px-4 py-3">
      <h3 className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Untrusted className="font-semibold">{(pair.left ?? pair.right)?.name ?? ""}</Untrusted>
        {match === "left" ? <Badge tone="deny">only in the first</Badge> : null}
        {match === "right" ? <Badge tone="allow">only in the second</Badge> : null}
        <span className="ml-auto flex gap-3 text-sm">
          {pair.left === null ? null : <StepLink run={left} number={pair.left.number} name="first" />}
          {pair.right === null ? null : <StepLink run={right} number={pair.right.number} name="second" />}
        </span>
      </h3>
      {differences.map((difference) => (
        <OneDifference key={`${difference.what} ${difference.where}`} difference={difference} />
      ))}
    </article>
  );
}

function StepLink({ run, number, name }: { readonly run: string; readonly number: number; readonly name: string }) {
  return (
    <Link
      to="/runs/$id"
      params={{ id: run }}
      search={{ step: number }}
      className="text-accent underline underline-offset-2"
    >
      {name}, step {number}
    </Link>
  );
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
      <p className="mt-1 text-sm text-muted tabular-nums">
        {what} {small(left)} → {small(right)}
      </p>
    );
  }
  const [before, after] = [parsed(left), parsed(right)];
  return (
    <div className="mt-2">
      <h4 className="mb-1 text-sm text-muted">
        {NAMES[what] ?? what}
        {where === null ? null : (
          <>
            , <Untrusted>{where}</Untrusted>
          </>
        )}
      </h4>
      {isTree(before) && isTree(after) ? (
        <Difference before={before} after={after} />
      ) : (
        <div className="font-mono text-[0.92em]">
          <Line sign="−" name="first" value={before} className="rounded-t bg-deny-soft" />
          <Line sign="+" name="second" value={after} className="rounded-b bg-allow-soft" />
        </div>
      )}
    </div>
  );
}

function Line({
  sign,
  name,
  value,
  className,
}: {
  readonly sign: string;
  readonly name: string;
  readonly value: Json;
  readonly className: string;
}) {
  return (
    <div className={`flex gap-2 px-2 py-1 ${className}`}>
      <span aria-hidden="true" className="select-none">
        {sign}
      </span>
      <span className="sr-only">{name}: </span>
      <div className="min-w-0">
        {value === "" ? <span className="text-muted">none</span> : <JsonTree value={value} />}
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
    <p className="flex flex-wrap items-center gap-x-3 px-4 text-muted">
      <Untrusted className="text-ink">{(pair.left ?? pair.right)?.name ?? ""}</Untrusted>
      <span className="text-sm">
        {pair.differences
          .map(({ what, left, right }) => `${what} ${SMALL[what]?.(left)} → ${SMALL[what]?.(right)}`)
          .join(", ")}
      </span>
      <span className="ml-auto flex gap-3 text-sm">
        {pair.left === null ? null : <StepLink run={left} number={pair.left.number} name="first" />}
        {pair.right === null ? null : <StepLink run={right} number={pair.right.number} name="second" />}
      </span>
    </p>
  );
}
