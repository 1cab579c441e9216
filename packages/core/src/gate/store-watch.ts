/** One poller for all calls that wait on a store: whoever waits is woken when anything in it has changed. */
import type { Clock, Store } from "../ports.ts";

/** How often a store is asked whether anything has changed, while somebody waits. */
const POLL_MS = 25;

interface Waiter {
  readonly token: string;
  readonly until: number;
  readonly signal: AbortSignal | undefined;
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

export class StoreWatch {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #polling = false;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Resolves when the store's change token is no longer this one, when the time is over, or when the signal aborts.
   * @throws SafeRunError when the store cannot be asked.
   */
  changed(token: string, until: number, signal: AbortSignal | undefined): Promise<void> {
    const changed = new Promise<void>((wake, fail) => this.#waiters.add({ token, until, signal, wake, fail }));
    if (!this.#polling) void this.#poll();
    return changed;
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#waiters.size > 0) {
      try {
        await this.#clock.sleep(POLL_MS);
        this.#wake(await this.#store.changeToken(), this.#clock.now());
      } catch (error) {
        for (const waiter of this.#waiters) waiter.fail(error);
        this.#waiters.clear();
      }
    }
    this.#polling = false;
  }

  #wake(token: string, now: number): void {
    for (const waiter of this.#waiters) {
      if (token === waiter.token && now < waiter.until && waiter.signal?.aborted !== true) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
    }
  }
}
