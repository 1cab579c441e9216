import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample } from "./sample.ts";

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let place: Place;
let run = "";
let open = "";
beforeAll(async () => {
  place = makePlace();
  const sample = openSample(place.store);
  await sample.gate.call(sample.run, { tool: "orders.get", args: { id: 17, note: "lavender" } }, sample.execute);
  run = sample.run.id;
  const other = sample.gate.openRun({ agent: "a", environment: "prod" });
  await sample.gate.call(other, { tool: "stripe.refund", args: { amount: 6000 }, maxWaitMs: 0 }, sample.execute);
  open = other.id;
  await sample.store.close();
});
afterAll(() => place.remove());

const command = (...args: string[]) => saferun(place, [...args, "--store", place.store]);

it("[L6~] saferun log erase takes out a run, says what it could not reach, and the log verifies", async () => {
  expect((await command("log", "search", "lavender", "--json")).stdout).toContain(run);
  const erased = await command("log", "erase", "--run", run, "--reason", "test data");
  expect(erased).toMatchObject({ code: 0 });
  expect(erased.stdout).toMatch(
    /^erased \d+ parts of \d+ entries, and \d+ rows beside them\nnot reached: exports, backups/,
  );
  expect((await command("log", "search", "lavender", "--json")).stdout).not.toContain(run);
  expect((await command("log", "verify")).code).toBe(0);
  const shown = await command("log", "--json");
  expect(shown.stdout).toContain("log.erased");
  const again = await command("log", "erase", "--run", run, "--reason", "test data");
  expect([again.code === 0, again.stderr]).toEqual([
    false,
    expect.stringContaining("the log holds no content of this"),
  ]);
});

it("saferun log erase refuses what is still going on, and what it is not told", async () => {
  const waiting = await command("log", "erase", "--run", open, "--reason", "test data");
  expect([waiting.code === 0, waiting.stderr]).toEqual([false, expect.stringMatching(/call `call_\w+` is pending/)]);
  expect((await command("log", "erase", "--reason", "test data")).stderr).toContain("--subject, --run or --call");
  expect((await command("log", "erase", "--run", open)).stderr).toContain("--reason");
});
