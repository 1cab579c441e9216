/** One paused call decided from each channel in turn, in each way, and what the tool did: printed as a table. */
import { afterAll, describe, expect, it } from "vitest";
import { ARGS, type Asked, type Driver, drivers, useAll } from "./drivers.ts";
import { DEADLINE_MS } from "./world.ts";

useAll();

const ends: Readonly<Record<string, (driver: Driver, asked: Asked) => Promise<void>>> = {
  async approve(driver, { waiting, answer }) {
    await answer({ verdict: "approve" });
    expect((await waiting.answer).status).toBe("ran");
    expect(driver.world().ran).toEqual([ARGS]);
  },
  async edit(driver, { waiting, answer }) {
    await answer({ amount: 50 });
    expect((await waiting.answer).status).toBe("ran");
    expect(driver.world().ran).toEqual([{ ...ARGS, amount: 50 }]);
  },
  async deny(driver, { waiting, answer }) {
    await answer({ verdict: "deny" });
    expect((await waiting.answer).status).toBe("denied");
    expect(driver.world().ran).toEqual([]);
  },
  async expire(driver, { waiting, answer }) {
    driver.world().clock.moveOn(DEADLINE_MS + 1);
    expect(await waiting.answer).toMatchObject({ denial: { status: "expired" } });
    await answer({ verdict: "approve" });
    expect(driver.world().ran).toEqual([]);
  },
  async replay(driver, { waiting, answer, replay }) {
    await answer({ verdict: "approve" });
    await replay();
    await waiting.answer;
    await replay();
    expect(driver.world().ran).toEqual([ARGS]);
  },
};

const table: string[] = [];

describe.each(drivers)("a paused call, decided from $name", (driver) => {
  it("approve, edit, deny, expire, replay: at most one run, with what was agreed to", async () => {
    const cells: string[] = [];
    for (const end of Object.values(ends)) {
      driver.world().ran.splice(0);
      const asked = await driver.ask();
      await end(driver, asked);
      const { state, decision } = await asked.waiting.now();
      const [ran] = driver.world().ran;
      cells.push(`${driver.world().ran.length} run${ran === undefined ? "" : ` of ${String(ran.amount)}`}, ${state}`);
      expect(decision === null || decision.by.via === driver.name).toBe(true);
    }
    table.push(row(driver.name, cells));
  });
});

function row(name: string, cells: readonly string[]): string {
  return [name.padEnd(8), ...cells.map((cell) => cell.padEnd(20))].join("  ").trimEnd();
}

afterAll(() => {
  console.log([row("", Object.keys(ends)), ...table].join("\n"));
});
