/** Any JSON as a tree that folds: long texts and lists are cut, with the way to see all of them. */
import { useState } from "react";
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
  readonly path?: string;
}

export function JsonTree({ value, marked, path = "" }: JsonTreeProps) {
  if (Array.isArray(value))
    return <Items entries={value.map((item, at) => [`[${at}]`, item])} {...{ marked, path }} empty="[ ]" />;
  if (typeof value === "object" && value !== null) {
    return <Items entries={Object.entries(value)} {...{ marked, path }} empty="{ }" />;
  }
  return <Leaf value={value} />;
}

interface ItemsProps {
  readonly entries: readonly (readonly [string, unknown])[];
  readonly marked: ReadonlySet<string> | undefined;
  readonly path: string;
  readonly empty: string;
}

function Items({ entries, marked, path, empty }: ItemsProps) {
  const [most, setMost] = useState(LONG_LIST);
  if (entries.length === 0) return <span className="text-muted">{empty}</span>;
  const shown = entries.slice(0, most);
  return (
    <ul className="space-y-0.5">
      {shown.map(([name, value]) => {
        const at = name.startsWith("[") ? `${path}${name}` : path === "" ? name : `${path}.${name}`;
        const nested = typeof value === "object" && value !== null && Object.keys(value).length > 0;
        return (
          <li key={name} className={words("font-mono text-[0.92rem]", marked?.has(at) && "rounded bg-pause-soft")}>
            <span className="text-muted">
              <Untrusted>{name}</Untrusted>
            </span>
            {nested ? (
              <div className="ml-1 border-l border-line pl-3">
                <JsonTree value={value} path={at} {...(marked === undefined ? {} : { marked })} />
              </div>
            ) : (
              <span className="ml-2">
                <JsonTree value={value} path={at} />
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
