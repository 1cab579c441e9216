/** What budgets, breakers and stops cost a call, and how fast a stop is under load. */
import type { Report } from "../report.ts";
import { CALLS, CALLS_OF_A_RUN, detectors, RECIPIENTS } from "./detectors.ts";
import { protections } from "./protections.ts";
import { stops } from "./stop-load.ts";

export async function breakers(): Promise<Report> {
  return {
    suite: "breakers",
    how: `runs of a support agent of ${CALLS_OF_A_RUN} calls, windows full, ${RECIPIENTS} earlier recipients, ${CALLS} calls; stops: five times, 64 calls in flight on a SQLite store, stopped by another process`,
    rows: [...detectors(), ...protections(), ...(await stops())],
  };
}
