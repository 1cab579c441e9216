/** Which run a command means. */
import type { RunSummary, Store } from "@saferun/core";
import { failed, usage } from "../exit.ts";
import { printable } from "../output/printable.ts";

/** Runs whose ids are looked through. */
const NEWEST = 10_000;
/** Shorter beginnings of an id would too easily mean another one. */
const PREFIX_LENGTH = 6;

/** By its id, or by a beginning that only one of the newest has. @throws CommandError `run.missing`, or usage. */
export async function findRun(store: Store, id: string): Promise<RunSummary> {
  const found = await runStarting(store, id);
  if (found !== undefined) return found;
  throw failed("run.missing", `there is no run \`${printable(id)}\`; \`saferun runs\` lists them`);
}

/** The same, undefined where there is none. @throws CommandError usage where several begin so. */
export async function runStarting(store: Store, id: string): Promise<RunSummary | undefined> {
  const exact = await store.run(id);
  if (exact !== undefined) return exact;
  const start = id.replace(/…$|\.{3}$/, "");
  const long = start.length >= PREFIX_LENGTH;
  const found = long ? (await store.runs({ limit: NEWEST })).filter((run) => run.id.startsWith(start)) : [];
  const [first, second] = found;
  if (second !== undefined) throw usage(`\`${printable(id)}\` is the start of ${found.length} runs; give more of it`);
  return first;
}
