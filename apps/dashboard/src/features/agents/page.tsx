/** Who may call which tool by the rules, who called what, how it went, and when last. */
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client.ts";
import { useWalk } from "../../app/walk.ts";
import { Badge } from "../../ui/badge.tsx";
import { Card, PageHead } from "../../ui/card.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { AgentCard } from "./agent-card.tsx";
import { type Access, type Agents, answersBy } from "./tools.ts";

export function AgentsPage() {
  const { data, error, refetch } = useQuery({ queryKey: ["agents"], queryFn: () => ask(api.agents.$get()) });
  const access = useQuery({
    // Asked again with other policies, and where somebody or something new is seen.
    queryKey: ["policies", "access", ...seenIn(data)],
    queryFn: () => ask(api.access.$get()),
    enabled: data !== undefined,
    placeholderData: (before) => before,
  });
  const list = useWalk<HTMLDivElement>("agent", "header button[data-act=stop]");
  return (
    <div ref={list}>
      <PageHead title="Agents" about="Who may call which tool, and who did." />
      {error === null ? null : <Failure error={error} retry={() => void refetch()} />}
      {access.error === null ? null : <Failure error={access.error} retry={() => void access.refetch()} />}
      {data === undefined ? error === null ? <Skeleton lines={4} /> : null : <All known={data} access={access.data} />}
    </div>
  );
}

function seenIn(known: Agents | undefined): readonly string[] {
  return (known?.agents ?? []).flatMap(({ agent, environment, tools }) => [
    `${agent} ${environment}`,
    ...tools.map(({ tool }) => tool),
  ]);
}

interface AllProps {
  readonly known: Agents;
  readonly access: Access | undefined;
}

function All({ known: { agents, declared, from }, access }: AllProps) {
  if (agents.length === 0 && declared.length === 0) {
    return (
      <Empty title="No agent has called a tool yet">The first call through the gate makes its agent appear here.</Empty>
    );
  }
  return (
    <div className="space-y-4">
      {agents.map((agent) => (
        <AgentCard
          key={`${agent.agent_id} ${agent.environment}`}
          agent={agent}
          declared={declared}
          answers={access === undefined ? undefined : answersBy(access, agent)}
        />
      ))}
      {agents.length === 0 ? <Declared declared={declared} /> : null}
      {access === undefined || access.unseen.length === 0 ? null : <Unseen agents={access.unseen} />}
      <footer className="space-y-1 text-sm text-muted">
        {access === undefined ? null : <Gaps access={access} />}
        {from > 0 ? <p>Counted from entry {from.toLocaleString()} on; older ones are in the log.</p> : null}
      </footer>
    </div>
  );
}

/** Tools are named up to so many. */
const MOST_NAMED = 10;

function Gaps({ access: { incomplete } }: { readonly access: Access }) {
  const tools = [...new Set(incomplete.map(({ tool }) => tool))];
  const more = tools.length - MOST_NAMED;
  return (
    <>
      <p>
        What the rules of the policy files say, found by asking them. Budgets, breakers and stops may refuse a call
        besides.
      </p>
      {tools.length === 0 ? null : (
        <p>
          For some tools an answer may be missing:{" "}
          <Untrusted className="font-mono">{tools.slice(0, MOST_NAMED).join(", ")}</Untrusted>
          {more > 0 ? ` and ${more.toLocaleString()} more` : ""} (
          <Untrusted>{[...new Set(incomplete.map(({ why }) => why))].join("; ")}</Untrusted>).
        </p>
      )}
    </>
  );
}

function Declared({ declared }: { readonly declared: Agents["declared"] }) {
  return (
    <Card className="p-4">
      <h2 className="font-semibold">In the policies, and called by nobody yet</h2>
      <ul className="mt-2 flex flex-wrap gap-2">
        {declared.map(({ tool, kind }) => (
          <li key={tool} className="rounded-md bg-sunken px-2 py-1 font-mono text-sm">
            <Untrusted>{tool}</Untrusted> <span className="text-muted">{kind}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Unseen({ agents }: { readonly agents: readonly string[] }) {
  return (
    <Card className="p-4">
      <h2 className="font-semibold">Named by rules, and not seen yet</h2>
      <p className="text-muted">A rule for a name that no agent has speaks of nobody: compare the spelling.</p>
      <p className="mt-2 flex flex-wrap gap-2">
        {agents.map((agent) => (
          <Badge key={agent} tone="pause">
            <Untrusted>{agent}</Untrusted>
          </Badge>
        ))}
      </p>
    </Card>
  );
}
