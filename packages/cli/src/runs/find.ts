/** Which run a command means. */
import type { RunSummary, Store } from "@saferun/core";
import { failed } from "../exit.ts";
import { isTypedId, meantBy } from "../output/ids.ts";
import { printable } from "../output/printable.ts";

/** Runs whose ids are looked through. */
const NEWEST = 10_000;

/** By its id, a start or an end of it, or its short form, which only one of the newest has. @throws CommandError `run.missing`, or usage. */
export async function findRun(store: Store, id: string): Promise<RunSummary> {
  const found = await runMeant(store, id);
  if (found !== undefined) return found;
  const short = isTypedId(id) ? "" : ", and a part of an id has at least 6 characters";
  throw failed("run.missing", `there is no run \`${printable(id)}\`${short}; \`saferun runs\` lists them`);
}

/** The same, undefined where there is none. @throws CommandError usage where several are meant. */
export async function runMeant(store: Store, id: string): Promise<RunSummary | undefined> {
  const exact = await store.run(id);
  if (exact !== undefined || !isTypedId(id)) return exact;
  return meantBy(await store.runs({ limit: NEWEST }), id, "runs", ({ agent }) => agent);
}
