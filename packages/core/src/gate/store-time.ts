/** Time as the record has it: it never goes back, and says by how much the clock has. */
import { parseHeader } from "../log/header.ts";
import type { Clock, Store } from "../ports.ts";

export interface StoreTime {
  /** Ms since 1970: the clock's, or that of the last entry where the clock is behind it. */
  readonly now: number;
  /** How far the clock is behind the last entry; 0 where it is not. */
  readonly behindMs: number;
}

/** A clock that has gone back by more than this since an approval was given makes it worth nothing. */
export const JUMP_MS = 300_000;

/** @throws SafeRunError when the store cannot be read. */
export async function storeTime(store: Store, clock: Clock): Promise<StoreTime> {
  const { size } = await store.head();
  const [last] = size === 0 ? [] : await store.entries({ from: size - 1, limit: 1 });
  const read = clock.now();
  const behindMs = last === undefined ? 0 : Math.max(0, parseHeader(last.header).time - read);
  return { now: read + behindMs, behindMs };
}

/**
 * The store's time as this gate knows it, without asking the store for every call: it names the windows of budgets, so that
 * a clock which goes back over an edge does not meet the room of the window before.
 */
export class WindowClock {
  readonly #store: Store;
  readonly #clock: Clock;
  /** Of the clock, when the store was asked. */
  #asked = Number.NaN;
  #latest = Number.NaN;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Before `now`. Asks the store once a second, and when the clock has gone back. @throws SafeRunError when it cannot be read. */
  async ready(): Promise<void> {
    const read = this.#clock.now();
    if (read >= this.#asked && read < this.#asked + ASK_AGAIN_MS) return;
    const { now } = await storeTime(this.#store, this.#clock);
    this.#latest = Number.isNaN(this.#latest) ? now : Math.max(this.#latest, now);
    this.#asked = read;
  }

  /** Ms since 1970; never goes back. */
  now(): number {
    this.#latest = Math.max(this.#latest, this.#clock.now());
    return this.#latest;
  }
}

const ASK_AGAIN_MS = 1_000;
