/** What keeps a run from going on, said before anything else: who or what stopped it, why, when, and the way to let it go on. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, ask } from "../../api/client.ts";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { ResetButton } from "../protections/breaker-row.tsx";
import type { Protections } from "../protections/page.tsx";
import { LiftButton, textOf } from "../protections/stop-row.tsx";
import type { RunSummary } from "../runs/row.tsx";

export function Stopped({ run }: { readonly run: RunSummary }) {
  const { data } = useQuery({ queryKey: ["protections"], queryFn: () => ask(api.protections.$get()) });
  const breakers = data?.breakers.filter((breaker) => isOf(breaker, run)) ?? [];
  const stops = data?.stops.filter((stop) => reaches(stop, run)) ?? [];
  if (breakers.length === 0 && stops.length === 0) return null;
  return (
    <section aria-label="Stopped" className="mb-4 rounded-card border border-deny bg-deny-soft px-4 py-2.5">
      <h2 className="font-semibold text-deny">
        {run.stopped ? "Stopped: none of its calls starts" : "Stopped with others: none of its calls starts"}
      </h2>
      <ul>
        {breakers.map((breaker) => (
          <Halt key={breaker.id} act={<ResetButton breaker={breaker} />}>
            {breaker.scope === "agent" ? "The breaker of its agent: " : ""}
            <Untrusted>{breaker.trip?.reason ?? ""}</Untrusted>
            {breaker.trip === null ? null : (
              <span>
                {" "}
                By {breaker.trip.by}, <Time at={breaker.trip.at} />.
              </span>
            )}
          </Halt>
        ))}
        {stops.map((stop) => (
          <Halt key={stop.id} act={<LiftButton stop={stop} />}>
            <Untrusted>{stop.reason}</Untrusted>
            <span>
              {" "}
              By <Untrusted>{stop.by}</Untrusted>, <Time at={stop.at} />
              {stop.scope.run === run.id ? "" : `, of ${textOf(stop)}`}
              {stop.lifts.length === 0 ? "" : `; ${stop.lifts.length} wanted it lifted`}.
            </span>
          </Halt>
        ))}
      </ul>
    </section>
  );
}

function Halt({ act, children }: { readonly act: ReactNode; readonly children: ReactNode }) {
  return (
    <li className="mt-1 flex flex-col items-start justify-between gap-x-6 gap-y-2 md:flex-row md:items-center">
      <p className="min-w-0 text-sm break-words md:text-base">{children}</p>
      <div className="shrink-0">{act}</div>
    </li>
  );
}

/** Stopped, by itself or as one of its agent's runs. */
function isOf({ scope, name, environment, state }: Protections["breakers"][number], run: RunSummary): boolean {
  if (state !== "stopped") return false;
  if (scope === "run") return name === run.id;
  return scope === "agent" && name === run.agent && (environment === null || environment === run.environment);
}

/** A stop of a tool alone stands at its calls. */
function reaches({ scope: { agent, tool, run: id } }: Protections["stops"][number], run: RunSummary): boolean {
  return tool === null && (id === null || id === run.id) && (agent === null || agent === run.agent);
}
