/** From a run back to the list that it was opened from, and on to the runs beside it there. */
import { printable } from "@saferun/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api, ask } from "../../api/client.ts";
import { useShortcuts } from "../../app/shortcuts.ts";
import { keyOf, partsOf } from "../runs/filter.ts";
import { lastPlace } from "../runs/place.ts";

const LINK =
  "inline-flex min-h-11 items-center rounded-md px-2 text-accent underline-offset-2 hover:underline md:min-h-8";

export function RunNav({ id }: { readonly id: string }) {
  const filter = lastPlace()?.filter ?? {};
  const asked = partsOf(filter);
  const navigate = useNavigate();
  const { data } = useQuery({
    queryKey: ["runs", "neighbours", id, keyOf(filter)],
    queryFn: () => ask(api.runs[":id"].neighbours.$get({ param: { id }, query: filter })),
  });
  const go = (to: string | null | undefined) => () => {
    if (to != null) void navigate({ to: "/runs/$id", params: { id: to } });
  };
  useShortcuts([
    { keys: "u", does: "back to the list of runs", run: () => void navigate({ to: "/runs", search: filter }) },
    { keys: "[", does: "newer run", run: go(data?.newer) },
    { keys: "]", does: "older run", run: go(data?.older) },
  ]);
  return (
    <nav aria-label="Runs" className="-mt-3 -ml-2 flex flex-wrap items-center justify-between gap-x-4 md:-mt-2">
      <Link to="/runs" search={filter} className={LINK}>
        <span aria-hidden="true" className="mr-1.5">
          ←
        </span>
        Runs
        {asked.length === 0 ? null : (
          <span className="ml-1.5 max-w-64 truncate text-muted max-sm:hidden">
            {printable(asked.map(({ text }) => text).join(", "))}
          </span>
        )}
      </Link>
      <span className="flex items-center text-sm">
        <Beside id={data?.newer}>Newer</Beside>
        <span className="px-1 text-muted tabular-nums">
          {data?.place == null ? "" : `${data.place.toLocaleString()} of ${data.total.toLocaleString()}`}
        </span>
        <Beside id={data?.older}>Older</Beside>
      </span>
    </nav>
  );
}

function Beside({ id, children }: { readonly id: string | null | undefined; readonly children: ReactNode }) {
  // At an end of the list the word stays, so that the other one does not move under the hand.
  if (id == null)
    return <span className="inline-flex min-h-11 items-center px-2 text-muted md:min-h-8">{children}</span>;
  return (
    <Link to="/runs/$id" params={{ id }} className={LINK}>
      {children}
    </Link>
  );
}
