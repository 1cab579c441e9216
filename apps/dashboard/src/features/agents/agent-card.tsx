/** One agent: what it may call and did, the stop button beside it. */
import { useState } from "react";
import { StopDialog } from "../../app/stop-dialog.tsx";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { CountBadges } from "../../ui/counts.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { agentText } from "../runs/row.tsx";
import { ToolRow } from "./tool-row.tsx";
import { type Agent, type Agents, type Answers, type ToolLine, toolGroups } from "./tools.ts";

interface AgentCardProps {
  readonly agent: Agent;
  readonly declared: Agents["declared"];
  /** By tool; undefined while they are read, or where they cannot be. */
  readonly answers: ReadonlyMap<string, Answers> | undefined;
}

export function AgentCard({ agent, declared, answers }: AgentCardProps) {
  const [stopping, setStopping] = useState(false);
  const name = agentText(agent);
  const { called, unused, denied } = toolGroups(agent, declared, answers);
  return (
    <Card className="overflow-hidden">
      <header className="flex flex-wrap items-center justify-between gap-3 p-4">
        <div className="min-w-0">
          <h2 className="text-lg font-semibold wrap-anywhere">
            <Untrusted>{name}</Untrusted>
          </h2>
          {name === agent.agent_id ? null : <p className="font-mono text-sm break-all text-muted">{agent.agent_id}</p>}
          <p className="text-muted">
            in <Untrusted>{agent.environment}</Untrusted> · {agent.runs.toLocaleString()}{" "}
            {agent.runs === 1 ? "run" : "runs"} · last seen <Time at={agent.last_seen} />
          </p>
        </div>
        <div className="flex items-center gap-3">
          <CountBadges counts={agent.counts} />
          {agent.named ? (
            <Button data-act="stop" onClick={() => setStopping(true)}>
              Stop…
            </Button>
          ) : (
            <span className="text-sm text-muted">The log no longer tells its name: stop its runs or its tools.</span>
          )}
        </div>
      </header>
      <Lines label="Called" lines={called} />
      <Lines label="May be called, and never was" lines={unused} />
      {denied.length === 0 ? null : (
        <details className="border-t border-line">
          <summary className="cursor-pointer bg-sunken px-4 py-2 text-sm font-semibold text-muted">
            May not be called ({denied.length.toLocaleString()})
          </summary>
          <List label="May not be called" lines={denied} />
        </details>
      )}
      <StopDialog scope={{ agent: agent.agent }} open={stopping} onClose={() => setStopping(false)} />
    </Card>
  );
}

interface LinesProps {
  readonly label: string;
  readonly lines: readonly ToolLine[];
}

function Lines({ label, lines }: LinesProps) {
  if (lines.length === 0) return null;
  return (
    <>
      <h3 className="border-t border-line bg-sunken px-4 py-2 text-sm font-semibold text-muted">{label}</h3>
      <List label={label} lines={lines} />
    </>
  );
}

function List({ label, lines }: LinesProps) {
  return (
    <ul aria-label={label} className="divide-y divide-line border-t border-line">
      {lines.map((line) => (
        <ToolRow key={line.tool} line={line} />
      ))}
    </ul>
  );
}
