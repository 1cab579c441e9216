/** The outbox under faults: a vendor that fails in each way, processes that die and race. Counted at the vendor. */
import { type Clock, dueAt, type OutboxKind, type OutboxRow, type OutboxRows, queued } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { createDispatcher, type OutboxChannel } from "../src/dispatcher.ts";

const HOUR = 3_600_000;

class Timed implements Clock {
  time = 0;
  now(): number {
    return this.time;
  }
  async sleep(ms: number): Promise<void> {
    this.time += ms;
  }
}

/** Compare-and-set over a map, as the stores do it. */
function rowsIn(table: Map<string, OutboxRow>): OutboxRows & { failing: boolean } {
  return {
    failing: false,
    async due(now, limit) {
      const due = [...table.values()].filter((row) => (dueAt(row) ?? Number.POSITIVE_INFINITY) <= now);
      return due.sort((one, other) => (dueAt(one) ?? 0) - (dueAt(other) ?? 0)).slice(0, limit);
    },
    about: async (approval) => [...table.values()].filter((row) => row.approval === approval),
    async write(changes) {
      await Promise.resolve();
      if (this.failing) throw new Error("disk full");
      if (changes.some(({ row, expect }) => (table.get(row.id)?.revision ?? null) !== expect)) return false;
      for (const { row } of changes) table.set(row.id, row);
      return true;
    },
  };
}

class Unwell extends Error {
  readonly afterMs: number;
  readonly final: boolean;
  constructor(afterMs = 0, final = false) {
    super("unwell");
    this.afterMs = afterMs;
    this.final = final;
  }
}

function bench(act: (count: number, now: number) => void = () => {}) {
  const clock = new Timed();
  const table = new Map<string, OutboxRow>();
  const errors: string[] = [];
  /** What stands at the vendor: message → what it shows. */
  const shown = new Map<string, string>();
  const posts: { readonly kind: OutboxKind; readonly at: number }[] = [];
  const state = { pending: true, held: false, version: 1, votes: 0 };
  const channel: OutboxChannel = {
    async send(row, earlier) {
      const id = `ts-${posts.push({ kind: row.kind, at: clock.now() })}`;
      await Promise.resolve();
      if (row.kind === "asked" || row.kind === "alarm") {
        try {
          act(posts.length, clock.now());
        } catch (error) {
          // A vendor may have posted before it failed.
          if (error instanceof Unwell && error.message === "posted") shown.set(id, "asked");
          throw error;
        }
        shown.set(id, "asked");
        return id;
      }
      act(posts.length, clock.now());
      for (const id of earlier) shown.set(id, row.kind);
      return earlier.join();
    },
    failure: (error) => {
      const { afterMs, final } = error instanceof Unwell ? error : new Unwell();
      return { retry: !final, afterMs, message: "the vendor is unwell" };
    },
  };
  const dispatcher = (owner: string, rows: OutboxRows = rowsIn(table)) =>
    createDispatcher({
      rows,
      channels: (name) => (name === "slack:#fin" ? channel : undefined),
      clock,
      owner,
      standing: async () => {
        const { pending, held, version, votes } = state;
        return { state: held ? "held" : pending ? "open" : "over", version, reads: String(votes) };
      },
      onError: (error) => errors.push(String(error)),
    });
  const put = (kind: OutboxKind, version = 1, channelName = "slack:#fin") => {
    const row = queued({ approval: "appr_1", channel: channelName, kind, version, giveUpAt: 4 * HOUR }, clock.now());
    if (!table.has(row.id)) table.set(row.id, row);
    return row.id;
  };
  const stateOf = (id: string) => table.get(id)?.state;
  const vote = () => Object.assign(state, { version: state.version + 1, votes: state.votes + 1 });
  const suspend = (held: boolean) => Object.assign(state, { version: state.version + 1, votes: 0, held });
  const end = () => Object.assign(state, { version: state.version + 1, pending: false });
  return { clock, table, errors, shown, posts, dispatcher, put, stateOf, vote, suspend, end };
}

/** Looks every second until nothing is due any more, or the time is over. */
async function until(clock: Timed, end: number, tick: () => Promise<unknown>): Promise<void> {
  for (; clock.time < end; clock.time += 1_000) await tick();
}

describe("the dispatcher", () => {
  it("sends what is queued once, however often it is queued, and keeps the id for the end", async () => {
    const b = bench();
    const id = b.put("asked");
    b.put("asked");
    const one = b.dispatcher("a");
    expect(await one.tick()).toBe(1);
    expect(await one.tick()).toBe(0);
    expect(b.stateOf(id)).toEqual({ name: "sent", at: 0, message: "ts-1", reads: "0" });
    b.vote();
    expect([await one.tick(), await one.tick()]).toEqual([1, 0]);
    expect([...b.shown.values()]).toEqual(["changed"]);
    b.end();
    expect([await one.tick(), await one.tick()]).toEqual([1, 0]);
    expect([...b.shown.values()]).toEqual(["closed"]);
    expect([...b.table.values()].every((row) => dueAt(row) === undefined)).toBe(true);
    expect(b.errors).toEqual([]);
  });

  it("a 500 after posting: posts twice at most, and the end closes what is known", async () => {
    const b = bench((count) => {
      if (count === 1) throw Object.assign(new Unwell(), { message: "posted" });
    });
    b.put("asked");
    const one = b.dispatcher("a");
    await until(b.clock, 10_000, one.tick);
    expect(b.posts.filter(({ kind }) => kind === "asked")).toHaveLength(2);
    b.end();
    await one.tick();
    expect([...b.shown.values()]).toEqual(["asked", "closed"]);
  });

  it("a vendor down for an hour: goes out within a minute of its return, without a flood", async () => {
    const b = bench((_, now) => {
      if (now < HOUR) throw new Unwell();
    });
    const id = b.put("asked");
    await until(b.clock, HOUR + 61_000, b.dispatcher("a").tick);
    expect(b.stateOf(id)?.name).toBe("sent");
    expect(b.shown.size).toBe(1);
    expect(b.posts.length).toBeLessThan(75);
  });

  it("a vendor down past the deadline: given up, and the operator is told", async () => {
    const b = bench(() => {
      throw new Unwell();
    });
    const id = b.put("asked");
    await until(b.clock, 5 * HOUR, b.dispatcher("a").tick);
    expect(b.stateOf(id)).toMatchObject({ name: "dead", reason: "the vendor is unwell" });
    expect(b.errors).toEqual([expect.stringContaining("not told: the vendor is unwell")]);
  });

  it("a 429: not before the vendor said", async () => {
    const b = bench((count) => {
      if (count === 1) throw new Unwell(90_000);
    });
    b.put("asked");
    await until(b.clock, 120_000, b.dispatcher("a").tick);
    expect(b.posts.map(({ at }) => at)).toEqual([0, 90_000]);
  });

  it("a refusal: not tried again", async () => {
    const b = bench(() => {
      throw new Unwell(0, true);
    });
    b.put("asked");
    await until(b.clock, 120_000, b.dispatcher("a").tick);
    expect(b.posts).toHaveLength(1);
  });

  it("a crash between sending and writing: sent once more after the lease, and only then", async () => {
    const b = bench();
    const id = b.put("asked");
    const dying = rowsIn(b.table);
    const write = dying.write.bind(dying);
    let writes = 0;
    dying.write = (changes) => (++writes === 2 ? Promise.reject(new Error("killed")) : write(changes));
    await b.dispatcher("a", dying).tick();
    expect([b.stateOf(id)?.name, b.shown.size]).toEqual(["sending", 1]);
    const other = b.dispatcher("b");
    b.clock.time = 29_999;
    expect(await other.tick()).toBe(0);
    b.clock.time = 30_000;
    expect(await other.tick()).toBe(1);
    expect(b.stateOf(id)).toMatchObject({ name: "sent", message: "ts-2" });
    expect(b.shown.size).toBe(2);
  });

  it("two dispatchers: each row by one of them", async () => {
    const b = bench();
    for (let version = 1; version <= 50; version++) b.put("asked", version);
    const [one, other] = [b.dispatcher("a"), b.dispatcher("b")];
    for (let round = 0; round < 10; round++) await Promise.all([one.tick(), other.tick(), one.tick()]);
    expect([...b.table.values()].every(({ state }) => state.name === "sent")).toBe(true);
    expect([b.posts.length, b.shown.size]).toEqual([50, 50]);
  });

  it("decided before it went out: nobody is asked, and nothing has to be closed", async () => {
    const b = bench();
    const asked = b.put("asked");
    b.end();
    await until(b.clock, 3_000, b.dispatcher("a").tick);
    expect([b.stateOf(asked)?.name, b.table.size, b.posts]).toEqual(["dead", 1, []]);
    expect(b.errors).toEqual([]);
  });

  it("decided while it goes out: the end waits for the message, and a late change does not undo it", async () => {
    const b = bench();
    b.put("asked");
    const [one, other] = [b.dispatcher("a"), b.dispatcher("b")];
    await Promise.all([one.tick(), other.tick()]);
    b.vote();
    const changing = one.tick();
    b.end();
    await changing;
    for (let round = 0; round < 4; round++) await Promise.all([one.tick(), other.tick()]);
    expect([...b.shown.values()]).toEqual(["closed"]);
  });

  it("suspended: what was not sent waits, what was sent stays, and afterwards it reads as it does then", async () => {
    const b = bench();
    b.put("asked");
    const one = b.dispatcher("a");
    b.suspend(true);
    expect([await one.tick(), b.posts]).toEqual([0, []]);
    b.suspend(false);
    expect(await one.tick()).toBe(1);
    b.vote();
    b.suspend(true);
    expect(await one.tick()).toBe(0);
    b.suspend(false);
    b.vote();
    expect(await one.tick()).toBe(1);
    expect([...b.shown.values()]).toEqual(["changed"]);
  });

  it("a trip is told before all the questions that wait", async () => {
    const b = bench();
    for (let version = 1; version <= 50; version++) b.put("asked", version);
    b.clock.time = 1_000;
    const alarm = { run: "r", agent: "a", environment: "prod", lines: ["stopped"] };
    const about = {
      approval: "alarm_1",
      alarm,
      channel: "slack:#fin",
      kind: "alarm",
      version: 1,
      giveUpAt: HOUR,
    } as const;
    const row = queued(about, b.clock.time);
    b.table.set(row.id, row);
    expect(await b.dispatcher("a").tick()).toBe(51);
    expect(b.posts[0]?.kind).toBe("alarm");
  });

  it("leaves what it cannot send to others, and goes on after the store failed", async () => {
    const b = bench();
    const foreign = b.put("asked", 1, "pagerduty:x");
    b.put("asked");
    const rows = rowsIn(b.table);
    rows.failing = true;
    const one = b.dispatcher("a", rows);
    expect(await one.tick()).toBe(0);
    expect(b.errors).toEqual(["Error: disk full"]);
    expect(b.posts).toEqual([]);
    rows.failing = false;
    expect(await one.tick()).toBe(1);
    expect(b.stateOf(foreign)?.name).toBe("queued");
  });
});
