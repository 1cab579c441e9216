/** Time as the record has it: it never goes back, and says by how much the clock has. */
import type { StoredEntry } from "../log/entry.ts";
import { parseHeader } from "../log/header.ts";
import type { Clock, CommitResult, Store } from "../ports.ts";

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
 * The store's time as far as this gate has seen it, without asking the store each time: it names the windows of budgets, so
 * that a clock which goes back over an edge does not meet the room of the window before.
 */
export class WindowClock {
  readonly #store: Store;
  readonly #clock: Clock;
  #latest: number | undefined;
  /** Written since; read when somebody wants to know. */
  #entry: StoredEntry | undefined;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Before the first `now`. @throws SafeRunError when the store cannot be read. */
  async ready(): Promise<void> {
    this.#latest ??= (await storeTime(this.#store, this.#clock)).now;
  }

  saw(result: CommitResult): void {
    if (result.ok) this.#entry = result.entries.at(-1) ?? this.#entry;
  }

  /** Ms since 1970; never goes back. */
  now(): number {
    const written = this.#entry === undefined ? 0 : parseHeader(this.#entry.header).time;
    this.#entry = undefined;
    this.#latest = Math.max(this.#latest ?? Number.NaN, written, this.#clock.now());
    return this.#latest;
  }
}
