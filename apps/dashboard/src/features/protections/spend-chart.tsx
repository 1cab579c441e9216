/** What was booked over the last day, hour by hour: a bar each, and the same as a table for who cannot see it. */
import { amountText } from "@saferun/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client.ts";
import { Card } from "../../ui/card.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { words } from "../../ui/words.ts";

const HOURS = 24;

export function SpendChart() {
  const { data } = useQuery({
    queryKey: ["protections", "spend"],
    queryFn: () => ask(api.spend.$get({ query: { hours: String(HOURS) } })),
  });
  if (data === undefined || data.series.length === 0) return null;
  const start = Date.parse(data.from);
  return (
    <section aria-label="Spent in the last day">
      <h2 className="mb-2 text-lg font-semibold">Spent in the last day</h2>
      <Card className={words("grid gap-6 p-4", data.series.length > 1 && "sm:grid-cols-2")}>
        {data.series.map(({ name, unit, values }) => (
          <Bars key={`${name} ${unit}`} name={name} unit={unit} values={values} start={start} step={data.step_ms} />
        ))}
      </Card>
    </section>
  );
}

interface BarsProps {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** Ms since 1970 of the first bar. */
  readonly start: number;
  readonly step: number;
}

function Bars({ name, unit, values, start, step }: BarsProps) {
  const most = Math.max(...values);
  const total = values.reduce((sum, value) => sum + value, 0);
  const hours = values.map((value, at) => ({ value, hour: start + at * step }));
  return (
    <figure>
      <figcaption className="mb-2 flex justify-between gap-3">
        <span className="font-medium wrap-anywhere">
          <Untrusted>{name}</Untrusted>
        </span>
        <span className="text-muted tabular-nums">{amountText(String(total), unit)}</span>
      </figcaption>
      <div className="flex h-20 items-end gap-0.5" aria-hidden="true">
        {hours.map(({ value, hour }) => (
          <div
            key={hour}
            title={`${clock(hour)}: ${amountText(String(value), unit)}`}
            className="min-h-px flex-1 rounded-t-sm bg-accent"
            style={{ height: `${most === 0 ? 0 : (value / most) * 100}%`, opacity: value === 0 ? 0.25 : 1 }}
          />
        ))}
      </div>
      <div className="mt-1 flex justify-between text-xs text-muted" aria-hidden="true">
        <span>{clock(start)}</span>
        <span>now</span>
      </div>
      <ul className="sr-only">
        {hours
          .filter(({ value }) => value > 0)
          .map(({ value, hour }) => (
            <li key={hour}>
              {clock(hour)}: {amountText(String(value), unit)}
            </li>
          ))}
      </ul>
    </figure>
  );
}

function clock(hour: number): string {
  return new Date(hour).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
