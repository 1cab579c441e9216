/** Reads the gate's log from the store, through an opening of its own beside the gate's. */
import { join } from "node:path";
import { createFileSigner, openSqliteStore, verifyStore } from "@saferun/store";
import { callsOf, principalsOf, type StoryCall } from "./story.ts";

export interface LogReport {
  /** `verified`: signed by the store's key; `self-consistent`: not signed yet; `faulty`. */
  readonly status: string;
  readonly entries: number;
}

export interface OpenLog {
  /** All calls so far; `key` is what their tools sent along as idempotency key. */
  calls(): Promise<StoryCall[]>;
  /** On whose behalf the agent has run. */
  principals(): Promise<Set<string>>;
  /** Every entry, every hash and every signature again, against the public key as it was when the log was opened here. */
  verify(): Promise<LogReport>;
  close(): Promise<void>;
}

/** More than the demo ever writes. */
const ALL = { from: 0, limit: 10_000 };

export function openLog(directory: string): OpenLog {
  const pinned = createFileSigner(join(directory, "signing.key")).vkey;
  const store = openSqliteStore({ directory });
  return {
    async calls() {
      const calls = callsOf(await store.entries(ALL));
      return Promise.all(calls.map(async (call) => ({ ...call, key: (await store.call(call.id))?.key ?? null })));
    },
    principals: async () => principalsOf(await store.entries(ALL)),
    async verify() {
      const { status, size } = await verifyStore(store, { pinned });
      return { status, entries: size };
    },
    close: () => store.close(),
  };
}
