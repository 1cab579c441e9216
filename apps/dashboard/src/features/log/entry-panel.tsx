/** One call or event with all its entries: what was recorded, and by which leaf. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { StateBadge } from "../../ui/badge.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { type Gone, GoneView } from "../../ui/gone.tsx";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { wordsOf } from "./entry-words.ts";
import { type Entry, readEntries } from "./search.ts";

export function EntryPanel({ seq, onClose }: { readonly seq: number | undefined; readonly onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ["log", "entry", seq],
    queryFn: () => readEntries(seq ?? 0),
    enabled: seq !== undefined,
  });
  const run = data?.entries.find((entry) => entry.run !== null)?.run;
  return (
    <Dialog
      title={seq === undefined ? "" : `Entry ${seq.toLocaleString()}`}
      open={seq !== undefined}
      onClose={onClose}
      wide
    >
      {error === null ? null : <Failure error={error} />}
      {data === undefined && error === null ? <Skeleton lines={4} /> : null}
      {run == null ? null : (
        <p className="mb-3">
          <Link to="/runs/$id" params={{ id: run }} className="text-accent underline underline-offset-2">
            Step through its run
          </Link>
        </p>
      )}
      <ol className="space-y-4">
        {data?.entries.map((entry) => (
          <OneEntry key={entry.seq} entry={entry} />
        ))}
      </ol>
    </Dialog>
  );
}

/** What people look for first, beside what is not there. */
const OPEN: readonly string[] = ["arguments", "result", "error"];

function OneEntry({ entry }: { readonly entry: Entry }) {
  const { seq, type, at, verdict, outcome, rules = [], revision, leaf, parts, gone } = entry;
  return (
    <li className="rounded-md border border-line p-3">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="text-muted tabular-nums">{seq.toLocaleString()}</span>
        <span className="font-medium">{wordsOf(type)}</span>
        <span className="font-mono text-sm text-muted">{type}</span>
        {verdict === undefined ? null : <StateBadge state={verdict} />}
        {outcome === undefined ? null : <StateBadge state={outcome} />}
        <span className="ml-auto text-muted">
          <Time at={at} />
        </span>
      </p>
      {rules.length === 0 ? null : (
        <p className="text-muted">
          by <Untrusted>{rules.join(", ")}</Untrusted>
          {revision === undefined ? "" : `, revision ${revision.slice(0, 12)}`}
        </p>
      )}
      {Object.entries(parts).map(([name, value]) => (
        <details key={name} open={OPEN.includes(name) || gone[name] !== undefined} className="mt-2">
          <summary className="text-sm font-semibold text-muted">
            <Untrusted>{name}</Untrusted>
          </summary>
          <div className="mt-1 overflow-x-auto">
            {gone[name] === undefined ? <JsonTree value={value} /> : <GoneView content={gone[name] as Gone} />}
          </div>
        </details>
      ))}
      <p className="mt-2 truncate font-mono text-xs text-muted" title={leaf}>
        leaf {leaf}
      </p>
    </li>
  );
}
