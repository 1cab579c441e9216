/**
 * What has to happen for a store while time goes on, whoever waited before: silence denies, later levels are asked, and what
 * stands in the outbox is sent. Once a store, however many wraps use it; it keeps no process alive.
 */
import { isDeepStrictEqual } from "node:util";
import { createSweeper, type DecisionPorts, SafeRunError, type Store, tidyState, toLookAt } from "@saferun/core";
import { type CheckedRetention, DEFAULT_RETENTION } from "./options.ts";
import { closeChannels, createTeller } from "./telling.ts";

const EVERY_MS = 1_000;
const TIDY_EVERY_MS = 600_000;

export interface Sweeping {
  /** This process has asked it: it sends it now, and listens for the answer. */
  asked(approval: string): void;
  /** Something stands in the outbox that should go out now. */
  hurry(): void;
  /** @throws SafeRunError `option.invalid` where another wrap of this store has said something else. */
  keeping(retention: CheckedRetention | undefined): void;
}

interface Running extends Sweeping {
  /** One last look, and no more. */
  end(): Promise<void>;
}

const sweeping = new Map<Store, Running>();
let looked = false;

export type Retain = (retention: CheckedRetention) => Promise<void>;

export function sweepStore(ports: DecisionPorts, warn: (message: string) => void, retain: Retain): Sweeping {
  const known = sweeping.get(ports.store);
  if (known !== undefined) return known;
  const sweeper = createSweeper(ports);
  const teller = createTeller(ports, warn);
  const say = once(warn);
  const swept = repeated(async () => say(toLookAt(await sweeper.step())));
  let retention: CheckedRetention | undefined;
  const tidied = repeated(() => tidyState(ports), TIDY_EVERY_MS);
  const retained = repeated(() => retain(retention ?? DEFAULT_RETENTION), TIDY_EVERY_MS);
  // Soon, so that processes that live for a minute do it too; not at once, so that the first calls come first.
  const soon = setTimeout(retained.now, EVERY_MS).unref();
  const told = repeated(() => teller.step());
  const running: Running = {
    asked(approval) {
      teller.asked(approval);
      running.hurry();
    },
    hurry() {
      looked = false;
      told.now();
    },
    keeping(wanted) {
      if (wanted === undefined) return;
      if (retention !== undefined && !isDeepStrictEqual(retention, wanted)) {
        throw new SafeRunError("option.invalid", "`retention` differs from that of another wrap of this store");
      }
      retention = wanted;
    },
    async end() {
      clearTimeout(soon);
      const steps = [swept.end(), tidied.end(), retained.end(), told.end().then(() => teller.step())];
      await Promise.all(steps);
    },
  };
  if (sweeping.size === 0) process.on("beforeExit", lookOnce);
  sweeping.set(ports.store, running);
  return running;
}

/** Each line once: what is broken is found again with every step. */
function once(warn: (message: string) => void): (lines: readonly string[]) => void {
  const said = new Set<string>();
  return (lines) => {
    for (const line of lines) {
      if (said.has(line) || said.size >= MOST_SAID) continue;
      said.add(line);
      warn(line);
    }
  };
}

const MOST_SAID = 1_000;

export async function stopSweeping(): Promise<void> {
  const ending = [...sweeping.values()];
  sweeping.clear();
  process.off("beforeExit", lookOnce);
  await Promise.all(ending.map((one) => one.end().catch(() => undefined)));
  await closeChannels();
}

/** A process that has nothing more to do shows how its questions ended, and then ends. */
function lookOnce(): void {
  if (looked) return;
  for (const one of sweeping.values()) one.hurry();
  looked = true;
}

/** One step after the other, at least one after each `now`. */
function repeated(step: () => Promise<unknown>, everyMs = EVERY_MS): { now(): void; end(): Promise<void> } {
  let running: Promise<void> | undefined;
  let again = false;
  const now = (): void => {
    again = running !== undefined;
    running ??= step()
      // The store is closed, full or busy. Nothing runs by it; the next step looks again.
      .catch(() => undefined)
      .then(() => {
        running = undefined;
        if (again) now();
      });
  };
  const timer = setInterval(now, everyMs).unref();
  return {
    now,
    async end() {
      clearInterval(timer);
      while (running !== undefined) await running;
    },
  };
}
