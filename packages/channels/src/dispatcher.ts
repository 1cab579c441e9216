/**
 * Sends what stands in an outbox, from any number of processes. A row is leased before it is sent and marked afterwards, so
 * that a crash between the two sends it once more, and two processes never send it at the same time.
 *
 * A question that went out is followed until it is over: its row is compared with how the question stands now, so that
 * nothing which decides has to know of messages, and no crash leaves a card as it was.
 */
import {
  type Clock,
  followed,
  type OutboxEvent,
  type OutboxRow,
  type OutboxRows,
  type SendFailure,
  type Standing,
  stepOutbox,
} from "@saferun/core";
import type { OnError } from "./channel.ts";

/** What sends one row, once, without trying again. */
export interface OutboxChannel {
  /**
   * The vendor's id of the message, as text. `earlier` are the ids of the messages that went out on this channel about the
   * approval, oldest first: those that a `changed` or `closed` row edits.
   */
  send(row: OutboxRow, earlier: readonly string[]): Promise<string>;
  failure(error: unknown): SendFailure;
  /** Told again and again of a question that went out and still stands: it may be answered there. */
  attend?(row: OutboxRow): void;
}

export interface DispatcherOptions {
  readonly rows: OutboxRows;
  /** By a row's `channel`; undefined where this process cannot send there, which leaves the row to others. */
  readonly channels: (channel: string) => OutboxChannel | undefined;
  readonly clock: Clock;
  /** Names this process in leases; another one for each start. */
  readonly owner: string;
  /** How a question stands; undefined when there is none of this id. */
  readonly standing: (approval: string) => Promise<Standing | undefined>;
  /** Rows that died unsent, and failures of the store. */
  readonly onError: OnError;
  /** Longer than a vendor may take to answer. Default 30 s. */
  readonly leaseMs?: number;
}

export interface Dispatcher {
  /** One look at what is due; how many messages went out. Rejects when the store cannot be read. */
  tick(): Promise<number>;
}

const LEASE_MS = 30_000;
/** Sent at the same time. */
const BATCH = 20;
/** Rows looked at in one tick: open questions, and rows that only another process can send, are among them. */
const MOST = 10_000;
const NO_LONGER = { type: "cancel", reason: "no longer wanted" } as const;
const OVER: Standing = { state: "over", version: 0, reads: "" };

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { rows, channels, clock, owner, onError, leaseMs = LEASE_MS } = options;

  async function standing({ approval, kind }: OutboxRow): Promise<Standing> {
    if (kind === "alarm") return { state: "open", version: 1, reads: "" };
    return (await options.standing(approval)) ?? OVER;
  }

  /** The row after the event, stored; undefined when it has no effect, or somebody else was first. */
  async function step(row: OutboxRow, event: OutboxEvent): Promise<OutboxRow | undefined> {
    const stepped = stepOutbox(row, event, clock.now());
    if (!stepped.ok || !(await rows.write([{ row: stepped.row, expect: row.revision }]))) return undefined;
    const { channel, state } = stepped.row;
    if (state.name === "dead" && event.type !== "cancel") onError(new Error(`${channel}: not told: ${state.reason}`));
    return stepped.row;
  }

  async function tick(): Promise<number> {
    for (const row of await rows.due(clock.now(), MOST)) if (row.state.name === "sent") await follow(row).catch(failed);
    const now = clock.now();
    const due = (await rows.due(now, MOST)).filter(
      (row) => row.state.name !== "sent" && (now >= row.giveUpAt || channels(row.channel) !== undefined),
    );
    // A trip is told before all questions, however many wait.
    const ordered = [...due.filter(({ kind }) => kind === "alarm"), ...due.filter(({ kind }) => kind !== "alarm")];
    let sent = 0;
    for (let from = 0; from < ordered.length; from += BATCH) {
      const batch = ordered.slice(from, from + BATCH).map((row) => attempt(row).catch(failed));
      sent += (await Promise.all(batch)).filter(Boolean).length;
    }
    return sent;
  }

  function failed(error: unknown): boolean {
    onError(error);
    return false;
  }

  /** A question that reads differently now than it was sent, or is over: a row says so where it was sent. */
  async function follow(row: OutboxRow): Promise<void> {
    if (row.state.name !== "sent") return;
    const stands = await standing(row);
    if (stands.state === "open") channels(row.channel)?.attend?.(row);
    if (stands.state === "held" || (stands.state === "open" && stands.reads === row.state.reads)) return;
    const now = clock.now();
    const event = stands.state === "open" ? { reads: stands.reads } : {};
    const stepped = stepOutbox(row, { type: "follow", ...event }, now);
    if (!stepped.ok) return;
    const told = followed(row, stands, now);
    // Asked twice on one channel, at first and by a later level: what edits one message edits both.
    const known = (await rows.about(row.approval)).some(({ id }) => id === told.id);
    await rows.write([{ row: stepped.row, expect: row.revision }, ...(known ? [] : [{ row: told, expect: null }])]);
  }

  /** True when a message went out. */
  async function attempt(row: OutboxRow): Promise<boolean> {
    const others = (await rows.about(row.approval)).filter((other) => other.channel === row.channel);
    const stands = await standing(row);
    switch (turnOf(row, others, stands)) {
      case "wait":
        return false;
      case "drop":
        await step(row, NO_LONGER);
        return false;
      case "send":
        break;
    }
    const leased = await step(row, { type: "lease", owner, leaseMs });
    const channel = channels(row.channel);
    if (leased?.state.name !== "sending" || channel === undefined) return false;
    let message: string;
    try {
      message = await channel.send(leased, others.flatMap(messageOf));
    } catch (error) {
      await step(leased, { type: "failed", owner, failure: channel.failure(error) });
      return false;
    }
    const follows = row.kind === "asked" ? { reads: stands.reads } : {};
    await step(leased, { type: "sent", owner, message, ...follows });
    return true;
  }

  return { tick };
}

/** Questions and changes go out while they stand; what edits a message waits until that is there. */
function turnOf(row: OutboxRow, others: readonly OutboxRow[], { state }: Standing): "send" | "wait" | "drop" {
  const of = (kind: OutboxRow["kind"]) => others.filter((other) => other.kind === kind);
  if (row.kind === "alarm") return "send";
  if (row.kind !== "closed" && state === "over") return "drop";
  if (row.kind !== "closed" && state === "held") return "wait";
  if (row.kind === "asked") return "send";
  if (of("asked").some(isUnsent)) return "wait";
  // A change that is on its way would stand there after the end; a newer one says what an older one would.
  if (row.kind === "closed" && of("changed").some((other) => other.state.name === "sending")) return "wait";
  if (row.kind === "changed" && of("changed").some(({ version }) => version > row.version)) return "drop";
  return of("asked").some((other) => other.state.name === "sent") ? "send" : "drop";
}

function isUnsent({ state }: OutboxRow): boolean {
  return state.name !== "sent" && state.name !== "dead";
}

function messageOf({ kind, state }: OutboxRow): readonly string[] {
  return kind === "asked" && state.name === "sent" ? [state.message] : [];
}
