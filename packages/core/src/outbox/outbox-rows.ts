/** The outbox's rows among the state rows of a store. What is stored is not believed to be what was written here. */

import type { StateRow, Store } from "../ports.ts";
import type { Json } from "../value/json.ts";
import { type AlarmText, dueAt, type OutboxRow, type OutboxState } from "./outbox.ts";

/** Where the rows are kept. */
export interface OutboxRows {
  /** Rows whose time (`dueAt`) has come by `now`, soonest first. */
  due(now: number, limit: number): Promise<readonly OutboxRow[]>;
  /** Every row about one approval. */
  about(approval: string): Promise<readonly OutboxRow[]>;
  /** All of them or none. Durable when it resolves true; false when one has another revision than `expect`. */
  write(changes: readonly { readonly row: OutboxRow; readonly expect: number | null }[]): Promise<boolean>;
}

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
    async write(changes) {
      const rows = changes.map(({ row, expect }) => ({ row: toState(row), expect }));
      return (await store.commit({ rows, entries: [] })).ok;
    },
  };
}

/** For the transaction that writes the approval: a new message is stored with `expect: null`. */
export function toState(row: OutboxRow): StateRow {
  const { id, revision, alarm, ...value } = row;
  return {
    kind: KIND,
    id: `${PREFIX}${id}`,
    version: revision,
    due: dueAt(row) ?? null,
    value: { ...value, state: { ...row.state }, ...(alarm === undefined ? {} : { alarm: { ...alarm } }) },
  };
}

function fromState({ id, version, value }: StateRow): OutboxRow | undefined {
  if (!id.startsWith(PREFIX)) return undefined;
  const { text, number, below } = reader(value);
  const [approval, channel, kind, state] = [text("approval"), text("channel"), kindOf(text("kind")), below("state")];
  const [about, giveUpAt, attempts] = [number("version"), number("giveUpAt"), number("attempts")];
  const alarm = alarmOf(below("alarm"));
  if (approval === undefined || channel === undefined || kind === undefined) return undefined;
  if (about === undefined || giveUpAt === undefined || attempts === undefined) return undefined;
  const known = stateOf(state);
  if (known === undefined || (kind === "alarm") !== (alarm !== undefined)) return undefined;
  return {
    id: id.slice(PREFIX.length),
    revision: version,
    ...{ approval, channel, kind, version: about, giveUpAt, attempts, state: known },
    ...(alarm === undefined ? {} : { alarm }),
  };
}

function kindOf(text: string | undefined): OutboxRow["kind"] | undefined {
  return text === "asked" || text === "changed" || text === "closed" || text === "alarm" ? text : undefined;
}

function alarmOf(value: Json | undefined): AlarmText | undefined {
  const { text, below } = reader(value);
  const [run, agent, environment, lines] = [text("run"), text("agent"), text("environment"), below("lines")];
  if (run === undefined || agent === undefined || environment === undefined || !Array.isArray(lines)) return undefined;
  return { run, agent, environment, lines: lines.filter((line): line is string => typeof line === "string") };
}

function stateOf(value: Json | undefined): OutboxState | undefined {
  const { text, number } = reader(value);
  const [dueTime, until, when, retryAt] = [number("dueAt"), number("until"), number("at"), number("retryAt")];
  const [owner, message, reason, reads] = [text("owner"), text("message"), text("reason"), text("reads")];
  switch (text("name")) {
    case "queued":
      return dueTime === undefined ? undefined : { name: "queued", dueAt: dueTime };
    case "sending":
      return owner === undefined || until === undefined ? undefined : { name: "sending", owner, until };
    case "sent":
      if (message === undefined || when === undefined) return undefined;
      return { name: "sent", at: when, message, ...(reads === undefined ? {} : { reads }) };
    case "failed":
      return reason === undefined || retryAt === undefined ? undefined : { name: "failed", retryAt, reason };
    case "dead":
      return reason === undefined || when === undefined ? undefined : { name: "dead", at: when, reason };
    default:
      return undefined;
  }
}

/** Own properties of what should be a map. */
function reader(value: Json | undefined) {
  const map = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  const below = (key: string): Json | undefined => (Object.hasOwn(map, key) ? Reflect.get(map, key) : undefined);
  return {
    below,
    text(key: string): string | undefined {
      const found = below(key);
      return typeof found === "string" ? found : undefined;
    },
    number(key: string): number | undefined {
      const found = below(key);
      return typeof found === "number" ? found : undefined;
    },
  };
}
