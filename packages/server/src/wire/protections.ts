/** Stops, breakers and budgets as JSON for programs. */
import { type BreakerInfo, formatDecimal, type PotInfo, type Stop, scaleOf } from "@saferun/core";
import type { z } from "zod";
import type * as schema from "../schemas/protections.ts";
import { iso } from "./moment.ts";

export function stopJson({ id, scope, reason, by, at, lifts }: Stop): z.infer<typeof schema.Stop> {
  return { id, scope, reason, by, at: iso(at), lifts: lifts.map((lift) => ({ ...lift, at: iso(lift.at) })) };
}

export function breakerJson({ id, scope, name, environment, breaker }: BreakerInfo): z.infer<typeof schema.Breaker> {
  return {
    id,
    scope,
    name,
    environment: environment ?? null,
    state: breaker.state,
    until: breaker.state === "open" ? iso(breaker.until) : null,
    trip: breaker.state === "stopped" ? { ...breaker.trip, at: iso(breaker.trip.at) } : null,
  };
}

export function potJson(pot: PotInfo): z.infer<typeof schema.Pot> {
  const { id, budget, environment, unit, key, window, held, spent, limit, raised } = pot;
  const amount = (value: bigint) => formatDecimal(value, scaleOf(unit));
  const most = limit + raised;
  return {
    id,
    budget,
    environment,
    unit,
    key: [...key],
    window,
    held: amount(held),
    spent: amount(spent),
    limit: amount(most),
    raised: amount(raised),
    // A share for a bar on a page; the amounts themselves are exact.
    used: most === 0n ? 1 : Number(((held + spent) * 10_000n) / most) / 10_000,
  };
}
