/** A clock that somebody sets: it is in the log, and what people said before is asked again. */
import { JUMP_MS, parseHeader } from "@saferun/core";
import { expect, it } from "vitest";
import { ANN, say, terms } from "./people.ts";
import { asked, decision, VirtualClock, type World, world } from "./world.ts";

/** Time passes for both; only the clock can be set. */
class SettableClock extends VirtualClock {
  #passed = 0;
  elapsed(): number {
    return this.#passed;
  }
  pass(ms: number): void {
    this.time += ms;
    this.#passed += ms;
  }
  override async sleep(ms: number): Promise<void> {
    await super.sleep(ms);
    this.#passed += ms;
  }
}

const HOUR = 3_600_000;

function asking(clock: SettableClock): World {
  const approval = terms({ withinMs: 100 * HOUR });
  const pauses = [{ id: "r0", digest: "d0", reason: "ask", approval }];
  return world({
    clock,
    judge: (call) => (Number(call.args.amount) > 100 ? decision("pause", "r0", { pauses }) : decision("allow")),
  });
}

const later = (at: World) => at.call({ amount: 500 }, { key: "k", maxWaitMs: 0 });

async function jumps(at: World): Promise<number[]> {
  const entries = await at.store.entries({ from: 0, limit: 1_000 });
  const jumped = entries.filter(({ header }) => parseHeader(header).type === "clock.jumped");
  return jumped.map(({ parts }) => JSON.parse(new TextDecoder().decode(parts[0]?.bytes ?? undefined)).by_ms);
}

it.each([2 * JUMP_MS, -2 * JUMP_MS])(
  "set by %i ms, an answer of before runs nothing, and people are asked again",
  async (ms) => {
    const clock = new SettableClock();
    const at = asking(clock);
    await later(at);
    const first = await asked(at);
    expect(await say(at, ANN)).toMatchObject({ status: "applied" });
    clock.time += ms;
    expect(await later(at)).toMatchObject({ denial: { status: "pending" } });
    expect(at.ran).toEqual([]);
    expect(await jumps(at)).toEqual([ms]);
    expect(await at.log()).toEqual(expect.arrayContaining(["approval.suspended", "approval.resumed"]));
    expect(await say(at, ANN, { version: first.version })).toMatchObject({ reason: "stale-version" });
    // The new time is the time from now on.
    clock.pass(60_000);
    expect(await say(at, ANN)).toMatchObject({ status: "applied" });
    expect(await later(at)).toMatchObject({ status: "ran" });
    expect(at.ran).toEqual([{ amount: 500 }]);
    expect(await jumps(at)).toEqual([ms]);
  },
);

it("a call that waits in the process is asked again when the clock is set under it", async () => {
  const clock = new SettableClock();
  const at = asking(clock);
  const answer = at.call({ amount: 500 });
  const { since } = await asked(at);
  clock.time += HOUR;
  const again = await asked(at, 2);
  expect(again.since).toBeGreaterThan(since);
  expect(at.ran).toEqual([]);
  await say(at, ANN);
  expect((await answer).status).toBe("ran");
  expect(at.ran).toHaveLength(1);
});

it("hours that pass are no jump, and neither are small corrections; many small steps are one", async () => {
  const clock = new SettableClock();
  const at = asking(clock);
  let ran = 0;
  // A run does not go on for days.
  const inNewRun = () => {
    const run = at.gate.openRun({ agent: "bot", environment: "prod" });
    return at.gate.call(run, { tool: "refund", args: { amount: 1 } }, () => ran++);
  };
  await inNewRun();
  for (const hours of [1, 24, 240]) {
    clock.pass(hours * HOUR);
    await inNewRun();
  }
  clock.time += JUMP_MS;
  await inNewRun();
  expect(await jumps(at)).toEqual([]);
  clock.time += 2_000;
  await inNewRun();
  expect(await jumps(at)).toEqual([JUMP_MS + 2_000]);
  expect(ran).toBe(6);
});

it("a process that begins behind the record says so", async () => {
  const clock = new SettableClock();
  const at = asking(clock);
  await later(at);
  await asked(at);
  await say(at, ANN);
  const behind = new SettableClock();
  behind.time = clock.time - HOUR;
  const next = world({ store: at.store, clock: behind });
  await next.call({ amount: 1 });
  expect(await jumps(at)).toEqual([-HOUR]);
  expect(await later(at)).toMatchObject({ denial: { status: "pending" } });
  expect(at.ran).toEqual([]);
});

it("where the jump cannot be recorded no call runs", async () => {
  const clock = new SettableClock();
  const at = asking(clock);
  await at.call({ amount: 1 });
  let full = false;
  const store = {
    ...at.store,
    commit: (transaction: Parameters<typeof at.store.commit>[0]) =>
      full && transaction.entries.some(({ type }) => type === "clock.jumped")
        ? Promise.reject(new Error("full"))
        : at.store.commit(transaction),
  };
  const next = world({ store, clock });
  await next.call({ amount: 1 });
  full = true;
  clock.time += 2 * JUMP_MS;
  expect(await next.call({ amount: 2 })).toMatchObject({ denial: { status: "unavailable" } });
  expect(await next.call({ amount: 3 })).toMatchObject({ denial: { status: "unavailable" } });
  full = false;
  expect(await next.call({ amount: 4 })).toMatchObject({ status: "ran" });
  expect(next.ran).toEqual([{ amount: 1 }, { amount: 4 }]);
});
