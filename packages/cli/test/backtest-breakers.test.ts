/** `saferun backtest --breakers`, as a process of its own, over a log that the gate wrote. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, POLICY } from "./sample.ts";

let place: Place;
beforeEach(async () => {
  place = makePlace();
  const { gate, run, store } = openSample(place.store);
  for (const id of [1, 1, 1, 2]) {
    await gate.call(run, { tool: "orders.get", args: { id } }, () => ({ id, status: "shipped" }));
  }
  await store.close();
});
afterEach(() => place.remove());

const write = (name: string, breakers: string, policy = POLICY) =>
  writeFileSync(join(place.cwd, name), `${policy}breakers: ${breakers}\n`);
const backtest = (...args: string[]) => saferun(place, ["backtest", "--store", place.store, ...args]);

describe("saferun backtest --breakers", () => {
  it("[B8] replays recorded runs through other settings: counts by detector, and each call that changes", async () => {
    write("new.yaml", "{ repeat: { same: 2 } }");
    const result = await backtest("--breakers", "new.yaml", "--json");
    expect(result.code).toBe(1);
    const json = result.json();
    expect(json).toMatchObject({
      against: null,
      judged: 4,
      changed: 1,
      not_reproducible: {},
      detectors: { repeat: { before: { enforced: 0, observed: 0 }, after: { enforced: 1, observed: 0 } } },
      changes: [{ tool: "orders.get", from: "run", to: "deny", by: ["repeat"] }],
      changes_left_out: 0,
    });
    expect((await backtest("--breakers", "new.yaml")).stdout).toContain("4 calls replayed, 1 with another outcome");
  });

  it("a detector that observes changes nothing, and is counted", async () => {
    write("new.yaml", "{ repeat: { same: 2, mode: observe } }");
    const result = await backtest("--breakers", "new.yaml", "--json");
    expect(result.code).toBe(0);
    expect(result.json()).toMatchObject({
      changed: 0,
      detectors: { repeat: { after: { enforced: 0, observed: 1 } } },
    });
  });

  it("two settings are compared, what a tool is to them included", async () => {
    write("old.yaml", "{ repeat: { same: 2 } }");
    write(
      "new.yaml",
      "{ repeat: { same: 2 } }",
      POLICY.replace(
        "orders.get: { kind: read }",
        "orders.get: { kind: read, poll: { every: 1s, for: 1h }, volatile: [id] }",
      ),
    );
    expect((await backtest("--breakers", "old.yaml", "--against", "old.yaml", "--json")).json()).toMatchObject({
      judged: 4,
      changed: 0,
    });
    const tools = (await backtest("--breakers", "new.yaml", "--against", "old.yaml", "--json")).json();
    expect(tools).toMatchObject({
      judged: 4,
      detectors: { repeat: { before: { enforced: 1 }, after: { enforced: 2 } } },
    });
  });

  it("calls before the time asked for are followed, and not counted", async () => {
    write("new.yaml", "{ repeat: { same: 2 } }");
    const later = await backtest("--breakers", "new.yaml", "--since", "2999-01-01", "--json");
    expect(later.json()).toMatchObject({ judged: 0, changed: 0 });
  });

  it("says what it cannot be asked together with", async () => {
    write("new.yaml", "{ repeat: { same: 2 } }");
    expect((await backtest("--breakers", "new.yaml", "-p", "new.yaml")).code).toBe(2);
    expect((await backtest("--breakers", "new.yaml", "-c", "calls.jsonl")).code).toBe(2);
    expect((await backtest()).code).toBe(2);
    expect(await backtest("--breakers", "none.yaml")).toMatchObject({ code: 2 });
  });
});
