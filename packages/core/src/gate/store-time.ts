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
