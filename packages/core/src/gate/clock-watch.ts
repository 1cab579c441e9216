/**
 * Notices that somebody has set the clock. Deadlines, grants and budgets of a window rest on it: a jump is an entry, and
 * what people have said until then is asked again.
 *
 * A clock is compared with time that nobody can set, from one look to the next: an idle hour moves both. Where there is no
 * such time only a clock that goes back is noticed, and so is one that is behind the record at the first look.
 */
import { resumeApprovals, type SuspensionPorts, suspendApprovals } from "../answer/suspend.ts";
import type { Clock, Store } from "../ports.ts";
import { part } from "./record.ts";
import { JUMP_MS, storeTime } from "./store-time.ts";

/** Looks closer together are one look. */
const LOOK_AGAIN_MS = 1_000;

export class ClockWatch {
  readonly #ports: SuspensionPorts;
  /** The clock and the time that nobody sets, at the same moment; undefined before the first look. */
  #from: { readonly wall: number; readonly elapsed: number | undefined } | undefined;
  #last = Number.NaN;
  #looking: Promise<void> | undefined;

  constructor(ports: SuspensionPorts) {
    this.#ports = ports;
  }

  /** @throws SafeRunError when a jump cannot be recorded: nothing may be decided by this clock until it is. */
  async look(): Promise<void> {
    if (this.#looking !== undefined) return this.#looking;
    const wall = this.#ports.clock.now();
    if (wall >= this.#last && wall < this.#last + LOOK_AGAIN_MS) return;
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#ports;
    const by = this.#from === undefined ? -(await storeTime(store, clock)).behindMs : drift(this.#from, clock);
    if (Math.abs(by) > JUMP_MS) await this.#jumped(by);
    else if (this.#from?.elapsed !== undefined) {
      // Compared from the same moment on: many small steps are one large one.
      this.#last = clock.now();
      return;
    }
    this.#last = clock.now();
    this.#from = { wall: this.#last, elapsed: clock.elapsed?.() };
  }

  async #jumped(by: number): Promise<void> {
    const { store, random } = this.#ports;
    const jump = part("clock", { by_ms: Math.round(by) }, random);
    await store.commit({ entries: [{ type: "clock.jumped", parts: [jump] }] });
    const why = `the clock has gone ${by < 0 ? "back" : "forward"}`;
    await suspendApprovals(this.#ports, { why });
    await resumeApprovals(this.#ports, { why });
  }
}

/** How far the clock has gone beyond the time that has passed; below 0 where it has gone back. */
function drift(
  { wall, elapsed }: { readonly wall: number; readonly elapsed: number | undefined },
  clock: Clock,
): number {
  const now = clock.elapsed?.();
  const gone = clock.now() - wall;
  return elapsed === undefined || now === undefined ? Math.min(0, gone) : gone - (now - elapsed);
}

const watches = new WeakMap<Store, WeakMap<Clock, ClockWatch>>();

/** One for each store and clock, however many gates there are: each jump is one entry of this process. */
export function clockWatch(ports: SuspensionPorts): ClockWatch {
  const { store, clock, random } = ports;
  const ofStore = watches.get(store) ?? new WeakMap<Clock, ClockWatch>();
  const watch = ofStore.get(clock) ?? new ClockWatch({ store, clock, random });
  watches.set(store, ofStore.set(clock, watch));
  return watch;
}
