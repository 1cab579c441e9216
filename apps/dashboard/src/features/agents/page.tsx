/** Who called which tool, how it went, and when last; and the tools that the policies know. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { StopDialog } from "../../app/stop-dialog.tsx";
import { useWalk } from "../../app/walk.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Card, PageHead } from "../../ui/card.tsx";
import { CountBadges } from "../../ui/counts.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";

type Agents = Awaited<ReturnType<typeof readAgents>>;

function readAgents() {
  return ask(api.agents.$get());
}

export function AgentsPage() {
  const { data, error, refetch } = useQuery({ queryKey: ["agents"], queryFn: readAgents });
  const list = useWalk<HTMLDivElement>("agent", "header button[data-act=stop]");
  return (
    <div ref={list}>
      <PageHead title="Agents" about="Who called which tool, as the log tells it." />
      {error === null ? null : <Failure error={error} retry={() => void refetch()} />}
      {data === undefined ? error === null ? <Skeleton lines={4} /> : null : <All known={data} />}
    </div>
  );
}

function All({ known: { agents, declared, from } }: { readonly known: Agents }) {
  const called = new Set(agents.flatMap(({ tools }) => tools.map(({ tool }) => tool)));
  const unused = declared.filter(({ tool }) => !called.has(tool));
  if (agents.length === 0 && declared.length === 0) {
    return (
      <Empty title="No agent has called a tool yet">The first call through the gate makes its agent appear here.</Empty>
    );
  }
  return (
    <div className="space-y-4">
      {agents.map((agent) => (
        <AgentCard key={`${agent.agent} ${agent.environment}`} agent={agent} declared={declared} />
      ))}
      {unused.length === 0 ? null : (
        <Card className="p-4">
          <h2 className="font-semibold">In the policies, and called by nobody yet</h2>
          <ul className="mt-2 flex flex-wrap gap-2">
            {unused.map(({ tool, kind }) => (
              <li key={tool} className="rounded-md bg-sunken px-2 py-1 font-mono text-sm">
                <Untrusted>{tool}</Untrusted> <span className="text-muted">{kind}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {from > 0 ? (
        <p className="text-muted">Counted from entry {from.toLocaleString()} on; older ones are in the log.</p>
      ) : null}
    </div>
  );
}

interface AgentCardProps {
  readonly agent: Agents["agents"][number];
  readonly declared: Agents["declared"];
}

function AgentCard({ agent, declared }: AgentCardProps) {
  const [stopping, setStopping] = useState(false);
  const kinds = new Map(declared.map(({ tool, kind }) => [tool, kind]));
  return (
    <Card>
      <header className="flex flex-wrap items-center justify-between gap-3 border-b border-line p-4">
        <div>
          <h2 className="text-lg font-semibold">
            <Untrusted>{agent.agent}</Untrusted>
          </h2>
          <p className="text-muted">
            in <Untrusted>{agent.environment}</Untrusted> · {agent.runs.toLocaleString()}{" "}
            {agent.runs === 1 ? "run" : "runs"} · last seen <Time at={agent.last_seen} />
          </p>
        </div>
        <div className="flex items-center gap-3">
          <CountBadges counts={agent.counts} />
          <Button data-act="stop" onClick={() => setStopping(true)}>
            Stop…
          </Button>
        </div>
      </header>
      <ul className="divide-y divide-line">
        {agent.tools.map(({ tool, counts, last_seen: lastSeen }) => (
          <li key={tool} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-2.5">
            <span className="font-mono">
              <Untrusted>{tool}</Untrusted>{" "}
              {kinds.has(tool) ? (
                <span className="text-sm text-muted">{kinds.get(tool)}</span>
              ) : (
                <Badge tone="pause">not in the policies</Badge>
              )}
            </span>
            <span className="flex items-center gap-3 text-muted">
              <CountBadges counts={counts} />
              <Time at={lastSeen} />
            </span>
          </li>
        ))}
      </ul>
      <StopDialog scope={{ agent: agent.agent }} open={stopping} onClose={() => setStopping(false)} />
    </Card>
  );
}
