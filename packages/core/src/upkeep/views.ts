/**
 * That a person looks at payloads, or takes them out, is an entry: who, with what, at what. Durable before anything is
 * shown; what cannot be recorded is not shown.
 */
import { toHex } from "../call.ts";
import { SafeRunError } from "../errors.ts";
import { part } from "../gate/record.ts";
import type { Clock, Hash, Random, Store } from "../ports.ts";

export interface Viewer {
  /** `local:dora`. */
  readonly id: string;
  /** The surface: `cli`, `dashboard`. */
  readonly via: string;
  /** False where nobody proved who it is. */
  readonly verified: boolean;
}

/** What was looked at. Ids only; a query is free text, of which the entry keeps a digest. */
export interface ViewTarget {
  readonly runs?: readonly string[];
  readonly calls?: readonly string[];
  readonly approvals?: readonly string[];
  /** Of a search, as it was asked. */
  readonly query?: string;
  /** Entries `from` to `to`, exclusive. */
  readonly range?: { readonly from: number; readonly to: number };
  /** Entries of this time, ms, `to` exclusive. */
  readonly period?: { readonly from: number; readonly to: number };
}

export interface View {
  readonly by: Viewer;
  /** `payload.viewed`: shown. `log.exported`: written to where the store does not reach. */
  readonly type: "payload.viewed" | "log.exported";
  /** The command or the page: `log search`, `runs`. */
  readonly what: string;
  readonly target: ViewTarget;
  /** How many entries are shown or written; absent: as many as come. */
  readonly entries?: number;
}

export interface ViewPorts {
  readonly store: Pick<Store, "commit">;
  readonly hash: Hash;
  readonly random: Random;
}

/** The part of both entries. */
export const VIEW_PART = "view";

const encoder = new TextEncoder();

/**
 * Durable when it resolves: only then may anything be shown. The entry belongs to no run, so that looking at a run does not
 * add to it.
 * @throws SafeRunError `record.*` as the store does.
 */
export async function recordView({ store, hash, random }: ViewPorts, view: View): Promise<void> {
  const { by, type, what, target, entries } = view;
  const { query, ...named } = target;
  const asked = query === undefined ? {} : { query: toHex(hash.sha256(encoder.encode(query))) };
  const { id, via, verified } = by;
  const content = {
    by: { id, via, verified },
    what,
    ...named,
    ...asked,
    ...(entries === undefined ? {} : { entries }),
  };
  const written = await store.commit({ entries: [{ type, parts: [part(VIEW_PART, content, random)] }] });
  if (!written.ok)
    throw new SafeRunError("record.busy", "that somebody looks could not be recorded", { retryable: true });
}

/** How long the same person's look at the same thing is the same look. */
const SAME_VIEW_MS = 600_000;
/** Looks that are remembered; the oldest are forgotten, and recorded once more. */
const MOST_VIEWS = 10_000;

/**
 * For a page that asks again and again: the same person's look at the same thing with the same surface is one entry in ten
 * minutes. Looks at once wait for the one entry; one that could not be recorded is not remembered.
 */
export function createViewRecorder(
  ports: ViewPorts & { readonly clock: Pick<Clock, "now"> },
): (view: View) => Promise<void> {
  const recorded = new Map<string, { readonly at: number; readonly done: Promise<void> }>();
  return (view) => {
    const { by, type, what, target } = view;
    const { runs, calls, approvals, query, range, period } = target;
    const of = [runs, calls, approvals, query, range?.from, range?.to, period?.from, period?.to];
    const key = JSON.stringify([by.id, by.via, by.verified, type, what, ...of.map((one) => one ?? null)]);
    const now = ports.clock.now();
    const known = recorded.get(key);
    // A clock that was set back makes nobody's look an old one.
    if (known !== undefined && now >= known.at && now - known.at < SAME_VIEW_MS) return known.done;
    const done = recordView(ports, view);
    const look = { at: now, done };
    recorded.delete(key);
    recorded.set(key, look);
    done.catch(() => {
      if (recorded.get(key) === look) recorded.delete(key);
    });
    for (const oldest of recorded.keys()) {
      if (recorded.size <= MOST_VIEWS) break;
      recorded.delete(oldest);
    }
    return done;
  };
}
