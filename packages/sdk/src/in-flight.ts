/**
 * Calls that are under way hear of a stop: their signal aborts. What they then do is theirs to say; a write that does not
 * say clearly what it did becomes `unknown`, as any that throws.
 */
import { mayStart, REFRESH_MS, type Stop, type Store, stopsInForce } from "@saferun/core";
import { nodeClock } from "@saferun/store";

export interface InFlight {
  readonly agent: string;
  readonly tool: string;
  readonly runs: readonly string[];
}

interface Watched {
  readonly call: InFlight;
  abort(stop: Stop): void;
}

const watches = new WeakMap<Store, { readonly calls: Set<Watched>; running: boolean }>();

/** Until `end` is called: a signal that aborts when the caller gives up or the call is stopped. */
export function inFlight(
  store: Store,
  call: InFlight,
  caller: AbortSignal | undefined,
): { readonly signal: AbortSignal; end(): void } {
  const stopped = new AbortController();
  const watched: Watched = {
    call,
    abort: ({ reason }) => stopped.abort(new DOMException(`stopped by an operator: ${reason}`, "AbortError")),
  };
  const all = watches.get(store) ?? { calls: new Set(), running: false };
  watches.set(store, all);
  all.calls.add(watched);
  if (!all.running) void watch(store, all);
  // By its form, as where it was taken: another realm's signal is none of our class, and its caller gives up all the same.
  const givenUp = (): void => stopped.abort(caller?.reason);
  if (caller?.aborted === true) givenUp();
  caller?.addEventListener("abort", givenUp, { once: true });
  const end = (): void => {
    all.calls.delete(watched);
    caller?.removeEventListener("abort", givenUp);
  };
  return { signal: stopped.signal, end };
}

/** Looks while there is anything to look for, once a store, and holds no process open. */
async function watch(store: Store, all: { readonly calls: Set<Watched>; running: boolean }): Promise<void> {
  const { calls } = all;
  all.running = true;
  while (calls.size > 0) {
    await new Promise<void>((resolve) => setTimeout(resolve, REFRESH_MS).unref());
    // A store that cannot be read stops nothing here: it lets no other call start either.
    const stops = await stopsInForce(store).catch(() => []);
    for (const { call, abort } of stops.length === 0 ? [] : calls) {
      const start = mayStart(stops, { kind: "transaction" }, { ...call, kind: "destructive" }, nodeClock.now());
      if (!start.may && start.why === "stopped") abort(start.stop);
    }
  }
  all.running = false;
}
