import type { Ref } from "react";
import { StateBadge } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { words } from "../../ui/words.ts";
import { wordsOf } from "./entry-words.ts";
import type { Line } from "./lines.ts";
import type { LogItem } from "./search.ts";

const ROW =
  "grid w-full grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-2.5 text-left hover:bg-sunken md:grid-cols-[5rem_minmax(0,1fr)_auto_7rem]";

interface PlaceProps {
  /** Measures the row; `index` is its place in the list. */
  readonly ref: Ref<HTMLLIElement>;
  readonly index: number;
}

export interface ItemRowProps extends PlaceProps {
  readonly item: LogItem;
  /** Of a line that was unfolded. */
  readonly within: boolean;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

export function ItemRow({ ref, index, item, within, chosen, onChoose }: ItemRowProps) {
  const { seq, at, call, verdicts, outcome } = item;
  return (
    <li ref={ref} data-index={index}>
      <button
        type="button"
        onClick={onChoose}
        aria-current={chosen || undefined}
        className={words(ROW, chosen && "bg-accent-soft", within && "border-l-4 border-l-line-strong")}
      >
        <span className="hidden text-muted tabular-nums md:inline">{seq.toLocaleString()}</span>
        <span className="min-w-0 truncate">{call === null ? <Event item={item} /> : <Call item={item} />}</span>
        <span className="flex flex-wrap justify-end gap-1">
          {[...new Set(verdicts)].map((verdict) => (
            <StateBadge key={verdict} state={verdict} />
          ))}
          {outcome === null ? null : <StateBadge state={outcome} />}
        </span>
        <span className="col-span-2 text-sm text-muted md:col-span-1 md:text-right">
          {at === null ? "damaged" : <Time at={at} />}
        </span>
      </button>
    </li>
  );
}

function Call({ item: { tool, agent, rules } }: { readonly item: LogItem }) {
  return (
    <>
      <Untrusted className="font-medium">{tool ?? "(no name)"}</Untrusted>{" "}
      <Untrusted className="text-muted">
        {[agent === null ? "called" : `called by ${agent}`, rules.join(", ")].filter(Boolean).join(" · ")}
      </Untrusted>
    </>
  );
}

/** In plain words; the type as the record and the query language have it beside them. */
function Event({ item: { type, agent, who, about } }: { readonly item: LogItem }) {
  const said = wordsOf(type);
  return (
    <>
      <span className="font-medium">{said}</span>{" "}
      {said === type ? null : <span className="font-mono text-sm text-muted">{type}</span>}{" "}
      <Untrusted className="text-muted">{[who ?? agent ?? "", about ?? ""].filter(Boolean).join(" · ")}</Untrusted>
    </>
  );
}

export interface ViewsRowProps extends PlaceProps {
  readonly line: Extract<Line, { kind: "views" }>;
  readonly onTurn: () => void;
}

/** Looks of one person that follow one another. */
export function ViewsRow({ ref, index, line: { who, items, open }, onTurn }: ViewsRowProps) {
  const [newest] = items;
  return (
    <li ref={ref} data-index={index}>
      <button type="button" onClick={onTurn} aria-expanded={open} className={words(ROW, "text-muted")}>
        <span aria-hidden="true" className="hidden md:inline">
          {open ? "▾" : "▸"}
        </span>
        <span className="min-w-0 truncate">
          <Untrusted>{who ?? "Somebody"}</Untrusted> looked at payloads {items.length.toLocaleString()} times{" "}
          <span className="font-mono text-sm">payload.viewed</span>
        </span>
        <span className="text-sm">{open ? "fold" : "unfold"}</span>
        <span className="col-span-2 text-sm md:col-span-1 md:text-right">
          {newest?.at == null ? "" : <Time at={newest.at} />}
        </span>
      </button>
    </li>
  );
}
