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
  const short = isShort(id) ? `, and a start of an id has at least ${PREFIX_LENGTH} characters` : "";
  throw failed("run.missing", `there is no run \`${printable(id)}\`${short}; \`saferun runs\` lists them`);
}

/** The same, undefined where there is none. @throws CommandError usage where several begin so. */
export async function runStarting(store: Store, id: string): Promise<RunSummary | undefined> {
  const exact = await store.run(id);
  if (exact !== undefined) return exact;
  const found = isShort(id)
    ? []
    : (await store.runs({ limit: NEWEST })).filter((run) => run.id.startsWith(startOf(id)));
  const [first, second] = found;
  if (second !== undefined) throw usage(`\`${printable(id)}\` is the start of ${found.length} runs; give more of it`);
  return first;
}

function startOf(id: string): string {
  return id.replace(/…$|\.{3}$/, "");
}

function isShort(id: string): boolean {
  return startOf(id).length < PREFIX_LENGTH;
}
