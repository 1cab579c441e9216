/**
 * How many bytes of the record a run, and an agent on one day, may fill. Counted inside the transaction that writes them, so
 * that the count is exact however many processes write; what already runs can always be ended.
 */
import { SafeRunError } from "../errors.ts";
import type { StateRows } from "../ports.ts";
import type { EntryType, StoredEntry } from "./entry.ts";

export interface ByteQuota {
  /** Of a run with its sub-agents. */
  readonly runBytes: number;
  /** Of all runs of an agent that begin their entries on the same day, UTC. */
  readonly agentBytesPerDay: number;
}

/** For whom a transaction's entries count. */
export interface Counted {
  readonly root: string;
  readonly agent: string;
  readonly quota: ByteQuota;
}

/** Said once, with the transaction that comes over four fifths. */
export interface QuotaMark {
  readonly scope: "run" | "agent";
  readonly name: string;
  readonly percent: number;
  /** Bytes. */
  readonly limit: number;
}

const MARK = 80;
const DAY_MS = 86_400_000;
/** A run that has written nothing for so long begins anew. */
const RUN_KEPT_MS = 30 * DAY_MS;

/** Entries with which something begins; everything else ends it, or says what became of it. */
const BEGINS: ReadonlySet<EntryType> = new Set([
  "run.started",
  "model.messages",
  "model.requested",
  "call.proposed",
  "call.executing",
  "approval.requested",
]);

export function begins(entries: readonly { readonly type: EntryType }[]): boolean {
  return entries.some(({ type }) => BEGINS.has(type));
}

export function bytesOf(entries: readonly StoredEntry[]): number {
  let bytes = 0;
  for (const { header, parts } of entries) {
    bytes += header.length;
    for (const part of parts) bytes += part.bytes?.length ?? 0;
  }
  return bytes;
}

/**
 * Counts what a transaction adds; the marks that are reached by it. `now` is the store's time, ms.
 * @throws SafeRunError `record.quota` where it would begin something beyond the quota; nothing may be written then.
 */
export function countBytes(
  { root, agent, quota }: Counted,
  of: { readonly begins: boolean; readonly bytes: number },
  rows: StateRows,
  now: number,
): readonly QuotaMark[] {
  const day = Math.floor(now / DAY_MS);
  const run = { scope: "run", name: root, limit: quota.runBytes } as const;
  const ofAgent = { scope: "agent", name: agent, limit: quota.agentBytesPerDay } as const;
  return [
    ...count(run, { ...of, id: JSON.stringify(["run", root]), due: now + RUN_KEPT_MS }, rows),
    ...count(ofAgent, { ...of, id: JSON.stringify(["agent", agent, day]), due: (day + 2) * DAY_MS }, rows),
  ];
}

function count(
  place: Omit<QuotaMark, "percent">,
  of: { readonly begins: boolean; readonly bytes: number; readonly id: string; readonly due: number },
  rows: StateRows,
): readonly QuotaMark[] {
  const { scope, name, limit } = place;
  const known = rows.get("quota", of.id);
  // A row that is no number is not zero: nothing begins by it.
  const before = known === undefined ? 0 : typeof known === "number" ? known : limit;
  const after = before + of.bytes;
  if (of.begins && after > limit) {
    throw new SafeRunError(
      "record.quota",
      `the ${scope} \`${name}\` has recorded ${before} bytes of the ${limit} that it may${scope === "agent" ? " today" : ""}: it begins nothing more; raise \`quota\` if it should`,
      { details: { scope, bytes: before, limit } },
    );
  }
  rows.put("quota", of.id, after, of.due);
  const mark = (limit * MARK) / 100;
  return before < mark && after >= mark ? [{ ...place, percent: MARK }] : [];
}
