import type { Ref } from "react";
import { StateBadge } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { words } from "../../ui/words.ts";
import type { LogItem } from "./search.ts";

export interface ItemRowProps {
  /** Measures the row; `index` is its place in the list. */
  readonly ref: Ref<HTMLLIElement>;
  readonly index: number;
  readonly item: LogItem;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

export function ItemRow({ ref, index, item, chosen, onChoose }: ItemRowProps) {
  const { seq, at, type, tool, agent, call, verdicts, outcome, rules } = item;
  return (
    <li ref={ref} data-index={index}>
      <button
        type="button"
        onClick={onChoose}
        aria-current={chosen || undefined}
        className={words(
          "grid w-full grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1 px-4 py-2.5 text-left hover:bg-sunken md:grid-cols-[5rem_1fr_auto_7rem]",
          chosen && "bg-accent-soft",
        )}
      >
        <span className="hidden text-muted tabular-nums md:inline">{seq.toLocaleString()}</span>
        <span className="min-w-0 truncate">
          <span className="font-medium">
            <Untrusted>{call === null ? type : (tool ?? "(no name)")}</Untrusted>
          </span>{" "}
          <span className="text-muted">
            <Untrusted>{agent ?? ""}</Untrusted>
            {agent === null || rules.length === 0 ? "" : " · "}
            <Untrusted>{rules.join(", ")}</Untrusted>
          </span>
        </span>
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
