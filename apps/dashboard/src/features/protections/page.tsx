/** What is stopped, what has tripped, what is near its limit; and the way back, by a person with a reason. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, ask } from "../../api/client.ts";
import { useShortcuts } from "../../app/shortcuts.ts";
import { StopDialog } from "../../app/stop-dialog.tsx";
import { useWalk } from "../../app/walk.ts";
import { Button } from "../../ui/button.tsx";
import { Card, PageHead } from "../../ui/card.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { BreakerRow } from "./breaker-row.tsx";
import { PotRow } from "./pot-row.tsx";
import { SpendChart } from "./spend-chart.tsx";
import { StopRow } from "./stop-row.tsx";

export type Protections = Awaited<ReturnType<typeof readProtections>>;

function readProtections() {
  return ask(api.protections.$get());
}

export function ProtectionsPage() {
  const { data, error, refetch } = useQuery({ queryKey: ["protections"], queryFn: readProtections });
  const [stopping, setStopping] = useState(false);
  const list = useWalk<HTMLDivElement>("limit", "li button");
  useShortcuts([{ keys: "x", does: "stop everything, with a reason", run: () => setStopping(true) }]);
  return (
    <div ref={list}>
      <PageHead title="Limits" about="Stops, breakers and budgets. What is stopped stays so until a person lifts it.">
        <Button tone="danger" onClick={() => setStopping(true)}>
          Stop everything…
        </Button>
      </PageHead>
      {error === null ? null : <Failure error={error} retry={() => void refetch()} />}
      {data === undefined ? error === null ? <Skeleton lines={4} /> : null : <All protections={data} />}
      <StopDialog scope={{}} open={stopping} onClose={() => setStopping(false)} />
    </div>
  );
}

function All({ protections: { stops, breakers, pots } }: { readonly protections: Protections }) {
  const tripped = breakers.filter(({ state }) => state !== "closed");
  const closed = breakers.length - tripped.length;
  const fullest = [...pots].sort((one, other) => other.used - one.used);
  return (
    <div className="space-y-8">
      <Section title="Stopped" hint={stops.length === 0 ? "Nothing is stopped." : undefined}>
        {stops.map((stop) => (
          <StopRow key={stop.id} stop={stop} />
        ))}
      </Section>
      <Section
        title="Breakers"
        hint={
          tripped.length === 0 ? "All breakers are closed." : `${closed} more ${closed === 1 ? "is" : "are"} closed.`
        }
      >
        {tripped.map((breaker) => (
          <BreakerRow key={breaker.id} breaker={breaker} />
        ))}
      </Section>
      <SpendChart />
      {pots.length === 0 ? (
        <Empty title="No budget has been used yet">
          A budget in the policies counts money, mails or calls before they are spent, and asks or refuses at its limit.
          Its pots appear here with the first call that it covers.
        </Empty>
      ) : (
        <Section title="Budgets">
          {fullest.map((pot) => (
            <PotRow key={pot.id} pot={pot} />
          ))}
        </Section>
      )}
    </div>
  );
}

function Section({
  title,
  hint,
  children,
}: {
  readonly title: string;
  readonly hint?: string | undefined;
  readonly children: readonly ReactNode[];
}) {
  return (
    <section aria-label={title}>
      <h2 className="mb-2 text-lg font-semibold">{title}</h2>
      {children.length === 0 ? null : (
        <Card>
          <ul className="divide-y divide-line">{children}</ul>
        </Card>
      )}
      {hint === undefined ? null : <p className="mt-1 text-muted">{hint}</p>}
    </section>
  );
}
