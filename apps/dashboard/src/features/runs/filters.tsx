/** What is asked for: what happened as a row of links with their numbers, the rest as choices. All of it stands in the address. */
import { printable } from "@saferun/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { words } from "../../ui/words.ts";
import { HAPPENED, PARTS, type Part, partsOf, type RunFilter, without } from "./filter.ts";
import type { RunAnswer } from "./read.ts";

export interface FiltersProps {
  readonly filter: RunFilter;
  readonly tally: RunAnswer["tally"] | undefined;
}

export function Filters({ filter, tally }: FiltersProps) {
  const [open, setOpen] = useState(false);
  const chosen = PARTS.filter(([part]) => filter[part] !== undefined).length;
  return (
    <div className="mb-4 space-y-3">
      <div className="flex items-center gap-2">
        <nav
          aria-label="What happened"
          className="-ml-4 flex min-w-0 flex-1 gap-1.5 overflow-x-auto py-1 pl-4 md:ml-0 md:flex-wrap md:pl-0"
        >
          <Chip filter={without(filter, "happened")} name="All" chosen={filter.happened === undefined} />
          {HAPPENED.map(([happened, name]) => {
            const count = tally?.[happened] ?? 0;
            const own = filter.happened === happened;
            return count === 0 && !own ? null : (
              <Chip key={happened} filter={{ ...filter, happened }} name={name} count={count} chosen={own} />
            );
          })}
        </nav>
        <Button className="shrink-0 md:hidden" aria-expanded={open} onClick={() => setOpen(!open)}>
          Filter{chosen === 0 ? "" : ` (${chosen})`}
        </Button>
      </div>
      <Choices filter={filter} className={open ? "grid" : "hidden md:grid"} />
    </div>
  );
}

interface ChipProps {
  readonly filter: RunFilter;
  readonly name: string;
  readonly count?: number;
  readonly chosen: boolean;
}

function Chip({ filter, name, count, chosen }: ChipProps) {
  return (
    <Link
      to="/runs"
      search={filter}
      aria-current={chosen ? "true" : undefined}
      className={words(
        "inline-flex min-h-11 shrink-0 items-center gap-1.5 rounded-full border px-3.5 whitespace-nowrap md:min-h-8",
        chosen ? "border-accent bg-accent-soft font-semibold text-accent" : "border-line bg-raised hover:bg-sunken",
      )}
    >
      {name}
      {count === undefined ? null : (
        <span className={words("text-sm tabular-nums", !chosen && "text-muted")}>{count.toLocaleString()}</span>
      )}
    </Link>
  );
}

const LISTS = { agent: "agents", environment: "environments", tool: "tools", principal: "principals" } as const;

function Choices({ filter, className }: { readonly filter: RunFilter; readonly className: string }) {
  const { data } = useQuery({ queryKey: ["names"], queryFn: () => ask(api.names.$get()) });
  const parts = PARTS.map(([part, name, all]) => {
    const own = filter[part];
    const names = [...new Set([...(data?.[LISTS[part]] ?? []), ...(own === undefined ? [] : [own])])];
    return { part, name, all, own, names };
  });
  // Where there is one only, choosing it says nothing.
  const shown = parts.filter(({ own, names }) => names.length > 1 || own !== undefined);
  if (shown.length === 0) return null;
  return (
    <div className={words("grid-cols-2 gap-x-3 gap-y-2 md:grid-cols-4 lg:max-w-4xl", className)}>
      {shown.map((one) => (
        <Choice key={one.part} filter={filter} {...one} />
      ))}
    </div>
  );
}

interface ChoiceProps {
  readonly filter: RunFilter;
  readonly part: Part;
  readonly name: string;
  readonly all: string;
  readonly own: string | undefined;
  readonly names: readonly string[];
}

function Choice({ filter, part, name, all, own, names }: ChoiceProps) {
  const navigate = useNavigate();
  return (
    <label className="flex min-w-0 flex-col gap-0.5">
      <span className="text-sm text-muted">{name}</span>
      <select
        value={own ?? ""}
        onChange={({ target }) => {
          const rest = without(filter, part);
          void navigate({ to: "/runs", search: target.value === "" ? rest : { ...rest, [part]: target.value } });
        }}
        className={words(
          "min-h-11 w-full rounded-md border bg-surface px-2.5 md:min-h-9",
          own === undefined ? "border-line-strong" : "border-accent font-semibold text-accent",
        )}
      >
        <option value="">{all}</option>
        {names.map((one) => (
          <option key={one} value={one}>
            {printable(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Which part to lift, and what it would bring. */
export function Lift({ filter, answer }: { readonly filter: RunFilter; readonly answer: RunAnswer }) {
  return (
    <ul className="mt-4 flex flex-wrap justify-center gap-2">
      {partsOf(filter).map(({ part, text }) => (
        <li key={part}>
          <Link
            to="/runs"
            search={without(filter, part)}
            className="inline-flex min-h-11 items-center gap-2 rounded-md border border-line bg-raised px-3.5 font-medium wrap-anywhere text-ink hover:bg-sunken md:min-h-9"
          >
            Lift {printable(text)}
            <span className="text-sm text-muted">{countText(answer.without[part] ?? 0)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function countText(count: number): string {
  return count === 0 ? "no run either" : count === 1 ? "1 run" : `${count.toLocaleString()} runs`;
}
