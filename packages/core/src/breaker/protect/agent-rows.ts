/**
 * The rows of one agent. How often each tool was called and whom the agent wrote to has rows of its own: a call writes the few
 * that it touches, however much is known.
 */
import { invariant } from "../../errors.ts";
import type { StateRows } from "../../ports.ts";
import type { Json } from "../../value/json.ts";
import { type AgentHistory, type EarlierSlice, fromEarlierSlices, newAgent, type RateSlice } from "../loop/agent.ts";
import { type Contacts, contactBucket, type EarlierContacts, fromEarlierContacts } from "../loop/contacts.ts";
import type { CallKeys } from "../loop/fingerprint.ts";
import { type Earlier, pairsOf } from "./earlier.ts";
import { KEPT_MS, keptUntil } from "./kept.ts";

/** What stands in the row of the agent itself. */
type AgentRow = Omit<AgentHistory, "contacts" | "tools">;

type RateRow = { readonly slices: readonly RateSlice[] };

/** No agent has these ids: theirs end with a bracket. */
function rateRowId(agent: string, tool: string): string {
  return `${agent} rate ${tool}`;
}

function contactsRowId(agent: string, bucket: string | number): string {
  return `${agent} contacts ${bucket}`;
}

/** Where all recipients of an agent stood before there were buckets. */
function earlierContactsRowId(agent: string): string {
  return `${agent} recipients`;
}

/** Of the tool and the recipients of a call; others are not read. */
export function readAgent(
  rows: StateRows,
  id: string,
  now: number,
  keys?: Pick<CallKeys, "tool" | "recipients">,
): AgentHistory {
  const stored = rows.get("agent", id) as AgentRow | EarlierAgent | undefined;
  // What is missing in a row that is there is no agent, and denies.
  const kept = stored === undefined ? newAgent() : "tools" in stored ? movedEarlier(rows, id, now, stored) : stored;
  const tools: AgentHistory["tools"] = keys === undefined ? [] : [[keys.tool, rateOf(rows, id, keys.tool)]];
  return { ...kept, tools, contacts: readContacts(rows, id, now, keys?.recipients ?? []) };
}

/** `rateMs`: how long the calls of a tool count. */
export function writeAgent(
  rows: StateRows,
  id: string,
  now: number,
  { contacts, tools, ...agent }: AgentHistory,
  rateMs: number,
): void {
  for (const [tool, slices] of tools) {
    if (rateOf(rows, id, tool) !== slices) putRate(rows, rateRowId(id, tool), slices, keptUntil(now, rateMs));
  }
  // With every call where it holds anything: it is kept as long as the agent does something.
  if (!isEmpty(agent)) rows.put("agent", id, json(agent), keptUntil(now, KEPT_MS));
  else if (rows.get("agent", id) !== undefined) rows.put("agent", id, null, null);
  for (const [bucket, contacted] of Object.entries(contacts)) {
    const row = contactsRowId(id, bucket);
    if (rows.get("agent", row) !== contacted) rows.put("agent", row, json(contacted), keptUntil(now, KEPT_MS));
  }
}

const NO_SLICES: readonly RateSlice[] = [];

function rateOf(rows: StateRows, id: string, tool: string): readonly RateSlice[] {
  const row = rows.get("agent", rateRowId(id, tool)) as RateRow | undefined;
  if (row === undefined) return NO_SLICES;
  invariant(Array.isArray(row.slices), "how often a tool was called cannot be read");
  return row.slices;
}

function putRate(rows: StateRows, row: string, slices: readonly RateSlice[], due: number): void {
  rows.put("agent", row, json({ slices } satisfies RateRow), due);
}

function isEmpty({ trips, approved, fresh }: AgentRow): boolean {
  return trips.length === 0 && fresh.length === 0 && Object.keys(approved).length === 0;
}

/** Older stores keep the tools in the agent's row, and slices by name; still older ones the time of each call, and recipients. */
interface EarlierAgent extends Pick<AgentRow, "trips" | "approved"> {
  readonly tools: Earlier<readonly (EarlierSlice | number)[]>;
  readonly fresh?: readonly EarlierSlice[];
  readonly recipients?: EarlierContacts;
}

/** Once for each agent of an older store. */
function movedEarlier(rows: StateRows, id: string, now: number, earlier: EarlierAgent): AgentRow {
  const { tools, fresh = [], recipients, ...agent } = earlier;
  const due = keptUntil(now, KEPT_MS);
  for (const [tool, slices] of pairsOf(tools)) putRate(rows, rateRowId(id, tool), fromEarlierSlices(slices), due);
  if (recipients !== undefined) rows.put("agent", earlierContactsRowId(id), json(recipients), due);
  const kept = { ...agent, fresh: fromEarlierSlices(fresh) };
  rows.put("agent", id, json(kept), due);
  return kept;
}

function readContacts(rows: StateRows, id: string, now: number, recipients: readonly string[]): Contacts {
  if (recipients.length === 0) return {};
  moveEarlierContacts(rows, id, now);
  const buckets = [...new Set(recipients.map(contactBucket))];
  return Object.fromEntries(
    buckets.map((bucket) => [bucket, (rows.get("agent", contactsRowId(id, bucket)) ?? []) as Contacts[number]]),
  );
}

/** Once for each agent of a store from before there were buckets. */
function moveEarlierContacts(rows: StateRows, id: string, now: number): void {
  const all = earlierContactsRowId(id);
  const earlier = rows.get("agent", all) as EarlierContacts | undefined;
  if (earlier === undefined) return;
  for (const [bucket, contacted] of Object.entries(fromEarlierContacts(earlier))) {
    rows.put("agent", contactsRowId(id, bucket), json(contacted), keptUntil(now, KEPT_MS));
  }
  rows.put("agent", all, null, null);
}

/** Immutable data that is JSON by its type. */
function json(value: object): Json {
  return value as Json;
}
