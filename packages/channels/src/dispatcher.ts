/**
 * Sends what stands in an outbox, from any number of processes. A row is leased before it is sent and marked afterwards, so
 * that a crash between the two sends it once more, and two processes never send it at the same time.
 */
import type { Clock } from "@saferun/core";
import type { OnError } from "./channel.ts";
import type { Failure } from "./delivery.ts";
import { type OutboxEvent, type OutboxRow, stepOutbox } from "./outbox.ts";

/** Where the rows are kept. */
export interface OutboxRows {
  /** Rows whose time (`dueAt`) has come by `now`, soonest first. */
  due(now: number, limit: number): Promise<readonly OutboxRow[]>;
  /** Every row about one approval. */
  about(approval: string): Promise<readonly OutboxRow[]>;
  /** Durable when it resolves true; false when the row has another revision than `expect`. */
  write(row: OutboxRow, expect: number): Promise<boolean>;
}

/** What sends one row, once, without trying again. */
export interface OutboxChannel {
  /**
   * The vendor's id of the message, as text. `earlier` are the ids of the messages that went out on this channel about the
   * approval, oldest first: those that a `changed` or `closed` row edits.
   */
  send(row: OutboxRow, earlier: readonly string[]): Promise<string>;
  failure(error: unknown): Failure;
}

export interface DispatcherOptions {
  readonly rows: OutboxRows;
  /** By a row's `channel`; undefined where this process cannot send there, which leaves the row to others. */
  readonly channels: (channel: string) => OutboxChannel | undefined;
  readonly clock: Clock;
  /** Names this process in leases; another one for each start. */
  readonly owner: string;
  /** Asked before a question or a change of it is sent: does it still stand? */
  readonly wanted: (row: OutboxRow) => Promise<boolean>;
  /** Rows that died unsent, and failures of the store. */
  readonly onError: OnError;
  /** Longer than a vendor may take to answer. Default 30 s. */
  readonly leaseMs?: number;
}

export interface Dispatcher {
  /** One look at what is due; how many messages went out. Rejects when the store cannot be read. */
  tick(): Promise<number>;
  /** Looks again and again until `signal` aborts, and ends after what was begun is done. */
  run(signal: AbortSignal, everyMs?: number): Promise<void>;
}

const LEASE_MS = 30_000;
const BATCH = 20;
const EVERY_MS = 1_000;
const NO_LONGER = { type: "cancel", reason: "no longer wanted" } as const;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { rows, channels, clock, owner, wanted, onError, leaseMs = LEASE_MS } = options;

  /** The row after the event, stored; undefined when it has no effect, or somebody else was first. */
  async function step(row: OutboxRow, event: OutboxEvent): Promise<OutboxRow | undefined> {
    const stepped = stepOutbox(row, event, clock.now());
    if (!stepped.ok || !(await rows.write(stepped.row, row.revision))) return undefined;
    const { channel, state } = stepped.row;
    if (state.name === "dead" && event.type !== "cancel") onError(new Error(`${channel}: not told: ${state.reason}`));
    return stepped.row;
  }

  async function tick(): Promise<number> {
    const due = await rows.due(clock.now(), BATCH);
    const sent = await Promise.all(due.map((row) => attempt(row).catch(failed)));
    return sent.filter(Boolean).length;
  }

  function failed(error: unknown): boolean {
    onError(error);
    return false;
  }

  /** True when a message went out. */
  async function attempt(row: OutboxRow): Promise<boolean> {
    const channel = channels(row.channel);
    if (channel === undefined) return false;
    const others = (await rows.about(row.approval)).filter((other) => other.channel === row.channel);
    switch (await turnOf(row, others)) {
      case "wait":
        return false;
      case "drop":
        await step(row, NO_LONGER);
        return false;
      case "send":
        break;
    }
    const leased = await step(row, { type: "lease", owner, leaseMs });
    if (leased?.state.name !== "sending") return false;
    let message: string;
    try {
      message = await channel.send(leased, others.flatMap(messageOf));
    } catch (error) {
      await step(leased, { type: "failed", owner, failure: channel.failure(error) });
      return false;
    }
    await step(leased, { type: "sent", owner, message });
    return true;
  }

  /** Questions and changes go out while they stand; what edits a message waits until that is there. */
  async function turnOf(row: OutboxRow, others: readonly OutboxRow[]): Promise<"send" | "wait" | "drop"> {
    const isOpen = ({ state }: OutboxRow) => state.name !== "sent" && state.name !== "dead";
    const of = (kind: OutboxRow["kind"]) => others.filter((other) => other.kind === kind);
    if (row.kind !== "closed" && !(await wanted(row))) return "drop";
    if (row.kind === "asked") return "send";
    if (of("asked").some(isOpen)) return "wait";
    // A change that is on its way would stand there after the end.
    if (row.kind === "closed" && of("changed").some(({ state }) => state.name === "sending")) return "wait";
    return of("asked").some(({ state }) => state.name === "sent") ? "send" : "drop";
  }

  return {
    tick,
    async run(signal, everyMs = EVERY_MS) {
      while (!signal.aborted) {
        await tick().catch(failed);
        await clock.sleep(everyMs, signal);
      }
    },
  };
}

function messageOf({ kind, state }: OutboxRow): readonly string[] {
  return kind === "asked" && state.name === "sent" ? [state.message] : [];
}
