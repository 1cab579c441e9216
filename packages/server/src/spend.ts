/** What was booked of each budget, hour by hour: from the rows of the holds, which are kept while their window lasts. */
import { decodeHold, type PotInfo, potsOf, type Store, scaleOf } from "@saferun/core";
import type { z } from "zod";
import type { Spend } from "./schemas/protections.ts";
import { iso } from "./wire/moment.ts";

const HOUR_MS = 3_600_000;
const PAGE = 1_000;
const MOST_HOLDS = 100_000;
const MOST_POTS = 10_000;

export async function spendOf(store: Store, hours: number, now: number): Promise<z.infer<typeof Spend>> {
  const from = Math.floor(now / HOUR_MS) * HOUR_MS - (hours - 1) * HOUR_MS;
  const pots = new Map((await potsOf(store, MOST_POTS)).map((pot) => [pot.id, pot]));
  const series = new Map<string, { name: string; unit: string; values: number[] }>();
  for await (const hold of settledHolds(store)) {
    const at = Math.floor((hold.endedAt - from) / HOUR_MS);
    if (at < 0 || at >= hours) continue;
    for (const { pot: id, amount } of hold.spent) {
      const pot = pots.get(id);
      if (pot === undefined) continue;
      const line = series.get(nameOf(pot)) ?? { name: pot.budget, unit: pot.unit, values: new Array(hours).fill(0) };
      // For a line on a page: the exact amounts stand in the pots.
      line.values[at] = (line.values[at] ?? 0) + Number(amount) / 10 ** scaleOf(pot.unit);
      series.set(nameOf(pot), line);
    }
  }
  return { from: iso(from), step_ms: HOUR_MS, series: [...series.values()] };
}

function nameOf({ budget, unit }: PotInfo): string {
  return `${budget}\n${unit}`;
}

async function* settledHolds(store: Store) {
  let after: string | undefined;
  for (let read = 0; read < MOST_HOLDS; read += PAGE) {
    const rows = await store.rows({ kind: "hold", limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { value } of rows) {
      const hold = decodeHold(value);
      if (hold.state === "settled") yield hold;
    }
    after = rows.at(-1)?.id;
    if (rows.length < PAGE) return;
  }
}
