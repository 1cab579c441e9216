/** The outbox's rows among the state rows of a store. What is stored is not believed to be what was written here. */
import type { Json, StateRow, Store } from "@saferun/core";
import type { OutboxRows } from "./dispatcher.ts";
import { at, textAt } from "./json-body.ts";
import { dueAt, type OutboxRow, type OutboxState } from "./outbox.ts";

const KIND = "outbox";
const PREFIX = "message/";
/** Messages about one approval: a few channels, a few versions. */
const MOST_ABOUT = 1_000;

export function outboxRows(store: Pick<Store, "rows" | "dueRows" | "commit">): OutboxRows {
  return {
    async due(now, limit) {
      return (await store.dueRows({ kind: KIND, by: now, limit })).flatMap((row) => fromState(row) ?? []);
    },
    async about(approval) {
      const after = `${PREFIX}${approval} `;
      const rows = await store.rows({ kind: KIND, after, limit: MOST_ABOUT });
      return rows.filter(({ id }) => id.startsWith(after)).flatMap((row) => fromState(row) ?? []);
    },
    async write(row, expect) {
      return (await store.commit({ rows: [{ row: toState(row), expect }], entries: [] })).ok;
    },
  };
}

/** For the transaction that writes the approval: a new message is stored with `expect: null`. */
export function toState(row: OutboxRow): StateRow {
  const { id, revision, ...value } = row;
  return {
    kind: KIND,
    id: `${PREFIX}${id}`,
    version: revision,
    due: dueAt(row) ?? null,
    value: { ...value, state: { ...row.state } },
  };
}

function fromState({ id, version, value }: StateRow): OutboxRow | undefined {
  const [approval, channel, kind] = [textAt(value, "approval"), textAt(value, "channel"), kindOf(at(value, "kind"))];
  const [about, giveUpAt, attempts] = [at(value, "version"), at(value, "giveUpAt"), at(value, "attempts")];
  const state = stateOf(at(value, "state"));
  if (!id.startsWith(PREFIX) || approval === undefined || channel === undefined || kind === undefined) return undefined;
  if (typeof about !== "number" || typeof giveUpAt !== "number" || typeof attempts !== "number") return undefined;
  if (state === undefined) return undefined;
  return {
    id: id.slice(PREFIX.length),
    revision: version,
    approval,
    channel,
    kind,
    version: about,
    giveUpAt,
    attempts,
    state,
  };
}

function kindOf(value: Json | undefined): OutboxRow["kind"] | undefined {
  return value === "asked" || value === "changed" || value === "closed" ? value : undefined;
}

function stateOf(value: Json | undefined): OutboxState | undefined {
  const time = (key: string): number | undefined => {
    const found = at(value, key);
    return typeof found === "number" ? found : undefined;
  };
  const [dueTime, until, when, retryAt] = [time("dueAt"), time("until"), time("at"), time("retryAt")];
  const [owner, message, reason] = [textAt(value, "owner"), textAt(value, "message"), textAt(value, "reason")];
  switch (at(value, "name")) {
    case "queued":
      return dueTime === undefined ? undefined : { name: "queued", dueAt: dueTime };
    case "sending":
      return owner === undefined || until === undefined ? undefined : { name: "sending", owner, until };
    case "sent":
      return message === undefined || when === undefined ? undefined : { name: "sent", at: when, message };
    case "failed":
      return reason === undefined || retryAt === undefined ? undefined : { name: "failed", retryAt, reason };
    case "dead":
      return reason === undefined || when === undefined ? undefined : { name: "dead", at: when, reason };
    default:
      return undefined;
  }
}
