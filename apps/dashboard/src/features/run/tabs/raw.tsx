/** The log's own entries of a step, in the order in which they were written. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask } from "../../../api/client.ts";
import { JsonTree } from "../../../ui/json-tree.tsx";
import { Failure, Skeleton } from "../../../ui/states.tsx";
import type { Held } from "../tree.ts";

export function RawTab({ run, step }: { readonly run: string; readonly step: Held["step"] }) {
  const seqs = step.events.map(({ seq }) => seq);
  const { data, error, refetch } = useQuery({
    queryKey: ["run", run, "entries", seqs],
    queryFn: () => readEntries(seqs),
  });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={3} />;
  return (
    <ol className="space-y-2">
      {data.map((entry, at) => (
        <li key={entry.seq} className="relative rounded-md border border-line">
          <details open={at === 0}>
            <summary className="flex min-h-11 items-center gap-3 px-3 md:min-h-9">
              <span className="font-mono text-sm text-muted tabular-nums">{entry.seq}</span>
              <span className="font-mono text-[0.92rem]">{entry.type}</span>
            </summary>
            <div className="border-t border-line px-3 py-2">
              <JsonTree value={entry} />
            </div>
          </details>
          {/* Beside the summary, not in it: what folds is a button, and holds no link. */}
          <Link
            to="/log"
            search={{ entry: entry.seq }}
            className="absolute top-0 right-0 flex min-h-11 items-center px-3 text-sm text-accent underline underline-offset-2 md:min-h-9"
          >
            in the log
          </Link>
        </li>
      ))}
    </ol>
  );
}

/** One look brings a call's entries; those that the index does not have yet are read one by one. */
async function readEntries(seqs: readonly number[]) {
  const found = new Map<number, Awaited<ReturnType<typeof readItem>>[number]>();
  for (const seq of seqs) {
    if (found.has(seq)) continue;
    for (const entry of await readItem(seq)) found.set(entry.seq, entry);
  }
  return seqs.flatMap((seq) => found.get(seq) ?? []);
}

async function readItem(seq: number) {
  const { entries } = await ask(api.log[":seq"].$get({ param: { seq: String(seq) } }));
  return entries;
}
