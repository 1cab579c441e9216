/** Any JSON as a tree that folds: long texts and lists are cut, with the way to see all of them. */
import { type AmountAt, type Json, memberPath } from "@saferun/core";
import { useState } from "react";
import { Amount } from "./amount.tsx";
import { Untrusted, UntrustedLines } from "./text.tsx";
import { words } from "./words.ts";

const LONG_TEXT = 400;
const LONG_LINES = 8;
const LONG_LIST = 20;
/** What one press adds. */
const MORE = 200;

export interface JsonTreeProps {
  readonly value: unknown;
  /** Paths to mark, such as `amount` and `lines[0].price`. */
  readonly marked?: ReadonlySet<string>;
  /** What the value at a path is to a person: it stands first, and the value itself beside it. */
  readonly amountAt?: AmountAt;
  readonly path?: string;
  /** How many items or members are shown at first. */
  readonly first?: number;
}

export function JsonTree({ value, path = "", first = LONG_LIST, ...shared }: JsonTreeProps) {
  if (Array.isArray(value)) {
    const entries = value.map((item, at): Entry => [`[${at}]`, memberPath(path, at), item]);
    return <Items entries={entries} {...shared} first={first} empty="[ ]" />;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]): Entry => [key, memberPath(path, key), item]);
    return <Items entries={entries} {...shared} first={first} empty="{ }" />;
  }
  const amount = shared.amountAt?.(path, value as Json);
  return amount === undefined ? <Leaf value={value} /> : <Amount text={amount} value={value} />;
}

/** ` · 500 items`, where counting them would take a while; empty for anything else. */
export function sizeText(value: unknown): string {
  return Array.isArray(value) && value.length >= MANY ? ` · ${value.length.toLocaleString("en-US")} items` : "";
}

const MANY = 4;

type Entry = readonly [name: string, at: string, value: unknown];

interface ItemsProps extends Pick<JsonTreeProps, "marked" | "amountAt"> {
  readonly entries: readonly Entry[];
  readonly first: number;
  readonly empty: string;
}

function Items({ entries, first, empty, ...shared }: ItemsProps) {
  const [most, setMost] = useState(first);
  if (entries.length === 0) return <span className="text-muted">{empty}</span>;
  const shown = entries.slice(0, most);
  return (
    <ul className="space-y-0.5">
      {shown.map(([name, at, value]) => {
        const nested = typeof value === "object" && value !== null && Object.keys(value).length > 0;
        return (
          <li
            key={name}
            className={words("font-mono text-[0.92rem]", shared.marked?.has(at) && "rounded bg-pause-soft")}
          >
            <span className="text-muted">
              <Untrusted>{name}</Untrusted>
              {sizeText(value)}
            </span>
            {nested ? (
              <div className="ml-1 border-l border-line pl-3">
                <JsonTree value={value} path={at} {...shared} />
              </div>
            ) : (
              <span className="ml-2">
                <JsonTree value={value} path={at} {...shared} />
              </span>
            )}
          </li>
        );
      })}
      {shown.length < entries.length ? (
        <li>
          <button type="button" className="text-accent underline" onClick={() => setMost(most + MORE)}>
            {(entries.length - shown.length).toLocaleString()} more
          </button>
        </li>
      ) : null}
    </ul>
  );
}

function Leaf({ value }: { readonly value: unknown }) {
  const [all, setAll] = useState(false);
  if (typeof value === "string") {
    const short = all ? value : shortened(value);
    const cut = short.length < value.length;
    return (
      <span className="break-words whitespace-pre-wrap text-ink">
        <UntrustedLines>{cut ? `${short}…` : value}</UntrustedLines>
        {cut ? (
          <button type="button" className="ml-2 text-accent underline" onClick={() => setAll(true)}>
            all {value.length.toLocaleString()} characters
          </button>
        ) : null}
      </span>
    );
  }
  return <span className="text-accent">{String(value)}</span>;
}

function shortened(text: string): string {
  const lines = text.slice(0, LONG_TEXT).split("\n");
  return lines.slice(0, LONG_LINES).join("\n");
}
