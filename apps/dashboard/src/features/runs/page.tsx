/** What agents do and did, the newest run first; it grows while one watches. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api, ask } from "../../api/client.ts";
import { useWalk } from "../../app/walk.ts";
import { Button } from "../../ui/button.tsx";
import { Card, PageHead } from "../../ui/card.tsx";
import { SelectField } from "../../ui/field.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { RunRow } from "./row.tsx";

const ALL = "every agent";

export function RunsPage() {
  const { agent } = useSearch({ from: "/runs" });
  const list = useWalk<HTMLUListElement>("run", "a");
  const runs = useInfiniteQuery({
    queryKey: ["runs", "list", agent ?? ""],
    queryFn: ({ pageParam }) =>
      ask(
        api.runs.$get({
          query: { ...(agent === undefined ? {} : { agent }), ...(pageParam === "" ? {} : { cursor: pageParam }) },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
  });
  const shown = runs.data?.pages.flatMap((page) => page.runs) ?? [];
  return (
    <>
      <PageHead title="Runs" about="What agents do, the newest first. It grows while you watch.">
        <AgentFilter agent={agent} />
      </PageHead>
      {runs.isError && shown.length === 0 ? (
        <Failure error={runs.error} retry={() => void runs.refetch()} />
      ) : runs.isPending ? (
        <Skeleton lines={6} />
      ) : shown.length === 0 ? (
        <NoRuns agent={agent} />
      ) : (
        <Card className="overflow-hidden">
          <ul ref={list} aria-label="Runs" className="divide-y divide-line">
            {shown.map((run) => (
              <RunRow key={run.id} run={run} />
            ))}
          </ul>
        </Card>
      )}
      {runs.hasNextPage ? (
        <div className="mt-4 text-center">
          <Button busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
            Load more
          </Button>
        </div>
      ) : null}
    </>
  );
}

function AgentFilter({ agent }: { readonly agent: string | undefined }) {
  const navigate = useNavigate({ from: "/runs" });
  const { data } = useQuery({ queryKey: ["agents"], queryFn: () => ask(api.agents.$get()) });
  const names = [
    ...new Set([...(data?.agents.map((one) => one.agent) ?? []), ...(agent === undefined ? [] : [agent])]),
  ];
  if (names.length < 2 && agent === undefined) return null;
  return (
    <SelectField
      label="Agent"
      choices={[ALL, ...names.sort()]}
      value={agent ?? ALL}
      onChange={({ target }) => void navigate({ search: target.value === ALL ? {} : { agent: target.value } })}
    />
  );
}

function NoRuns({ agent }: { readonly agent: string | undefined }) {
  if (agent !== undefined) return <Empty title="This agent has no runs here">Choose another one above.</Empty>;
  return (
    <Empty title="No agent has run yet">
      <p>
        A run is one execution of an agent: its model's turns and the calls of its tools, each with what the policies
        said of it.{" "}
        <Link to="/" className="font-medium text-accent underline underline-offset-2">
          The inbox has the lines
        </Link>{" "}
        that put the gate in front of yours; its run then appears here while it goes on.
      </p>
    </Empty>
  );
}
