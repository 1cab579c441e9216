/**
 * What time does to a store, in small steps off the path of calls: content that is old enough goes, or whole entries go into
 * an archive. Each step is one commit; what comes in between waits for no more than that.
 */
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { retain, type Signer, type Store } from "@saferun/core";
import { archiveStore, type SigningStore } from "./archive/archive-store.ts";
import type { Installation } from "./node/installation.ts";
import { nodeRandom } from "./node/ports.ts";
import { startSearchIndex } from "./search/follower.ts";
import { searchPath } from "./search/schema.ts";

export interface RetentionOptions {
  /** What is older goes, ms before `now`. */
  readonly keepMs: number;
  readonly now: number;
  /** Who does it, as the log shall name them. */
  readonly by: string;
  /** With it, entries go there whole; without it, only their content goes. */
  readonly archive?: { readonly to: string; readonly signer: Signer; readonly store: SigningStore };
  /** Remembers how far it went, so that a backup which is restored later forgets the same. */
  readonly installation?: Pick<Installation, "keepRetained">;
  /** Of the store, where it has one: its search index forgets the same. */
  readonly directory?: string;
  /** Commits of one run at most; the rest waits for the next. Default 20. */
  readonly steps?: number;
  /** Between two commits, ms: others write meanwhile. Default 100. */
  readonly pauseMs?: number;
}

export interface RetentionDone {
  /** Entries that lost their content, or that were archived. */
  readonly entries: number;
  /** More is old enough: the next run goes on. */
  readonly more: boolean;
  /** Why an archive goes no further, where something open does that. */
  readonly heldBy?: string;
}

/** Entries of one commit: few, so that it holds up nobody. */
const MOST = 500;

/** @throws SafeRunError as the store does; what was done before stays done. */
export async function applyRetention(store: Store, options: RetentionOptions): Promise<RetentionDone> {
  const { archive, directory } = options;
  const done = archive === undefined ? await retainAll(store, options) : await archiveAll(options, archive);
  if (directory !== undefined && done.forget !== undefined && existsSync(searchPath(directory))) {
    const index = startSearchIndex({ directory, busyMs: 5_000 });
    try {
      await (done.forget === "archived" ? index.forgetArchived() : index.forget(done.forget));
    } finally {
      await index.close();
    }
  }
  const { entries, more, heldBy } = done;
  return { entries, more, ...(heldBy === undefined ? {} : { heldBy }) };
}

interface Steps extends RetentionDone {
  readonly forget?: readonly number[] | "archived";
}

async function retainAll(store: Store, options: RetentionOptions): Promise<Steps> {
  const { keepMs, now, by, installation, steps = 20, pauseMs = 100 } = options;
  const before = now - keepMs;
  const days = keepMs / 86_400_000;
  const reason = `retention: older than ${days >= 1 ? `${Math.floor(days)} days` : `${Math.floor(keepMs / 1_000)} seconds`}`;
  const remembering = installation === undefined ? store : remember(store, before, installation);
  const forget: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { entries, more } = await retain(remembering, { before, most: MOST, by, reason }, nodeRandom);
    forget.push(...entries);
    if (!more) return { entries: forget.length, more: false, ...(forget.length === 0 ? {} : { forget }) };
    await setTimeout(pauseMs);
  }
  return { entries: forget.length, more: true, forget };
}

/** Before the commit: what has gone must not come back because this process died in between. */
function remember(store: Store, before: number, installation: Pick<Installation, "keepRetained">): Store {
  return {
    ...store,
    commit(transaction) {
      if ((transaction.erase ?? []).length > 0) installation.keepRetained(store.logId, before);
      return store.commit(transaction);
    },
  };
}

async function archiveAll(
  options: RetentionOptions,
  { to, signer, store }: NonNullable<RetentionOptions["archive"]>,
): Promise<Steps> {
  const { keepMs, now, by, steps = 20, pauseMs = 100 } = options;
  const wish = { to, before: now - keepMs, by, signer, segments: steps, pauseMs };
  const { segments, heldBy, more } = await archiveStore(store, wish);
  const entries = segments.reduce((sum, { from, to: end }) => sum + end - from, 0);
  const forget = entries === 0 ? {} : { forget: "archived" as const };
  return { entries, more, ...forget, ...(heldBy === undefined ? {} : { heldBy }) };
}
