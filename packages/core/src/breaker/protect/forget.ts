/** What the rows beside the log know of a person by the digests of calls: taken out when the person is erased. */
import type { Hash, StateRow } from "../../ports.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import type { AgentHistory } from "../loop/agent.ts";
import type { Contacts } from "../loop/contacts.ts";
import { recipientKey } from "../loop/fingerprint.ts";

export interface Forgotten {
  /** Keys of recipients. */
  readonly recipients: ReadonlySet<string>;
  readonly runs: ReadonlySet<string>;
}

/**
 * Keys of every value in a call's arguments: which of them were recipients, the policies of then knew. A key of what was none
 * stands in no row.
 */
export function* recipientKeys(value: Json, hash: Hash): Iterable<string> {
  yield recipientKey(value, hash);
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value)) yield* recipientKeys(inner, hash);
}

/**
 * A row of the kind `agent` without them; undefined where it holds nothing of them. A recipient that is forgotten is new once
 * more, and a stopped run counts without saying for whom it was.
 */
export function agentRowWithout({ value }: StateRow, { recipients, runs }: Forgotten): Json | undefined {
  if (Array.isArray(value)) {
    const contacted = value as Json as object as Contacts[number];
    const kept = contacted.filter(([recipient]) => !recipients.has(recipient));
    return kept.length === contacted.length ? undefined : (kept as object as Json);
  }
  if (typeof value !== "object" || value === null) return undefined;
  // The recipients of an older store stand in one row, by their keys.
  const kept: JsonObject = Object.fromEntries(Object.entries(value).filter(([key]) => !recipients.has(key)));
  const { trips, approved } = kept as object as Partial<AgentHistory>;
  const without = {
    ...kept,
    ...(trips === undefined
      ? {}
      : { trips: trips.map((trip) => (runs.has(trip.run) ? { ...trip, principal: "" } : trip)) }),
    ...(approved === undefined ? {} : { approved: withoutKeys(approved, recipients) }),
  };
  return JSON.stringify(without) === JSON.stringify(value) ? undefined : (without as object as Json);
}

/** A finding about a recipient ends with its key. */
function withoutKeys(approved: AgentHistory["approved"], recipients: ReadonlySet<string>): AgentHistory["approved"] {
  return Object.fromEntries(
    Object.entries(approved).filter(([key]) => !recipients.has(key.slice(key.lastIndexOf(":") + 1))),
  );
}
