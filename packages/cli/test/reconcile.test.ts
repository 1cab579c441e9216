import { cpSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample } from "./sample.ts";

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let place: Place;
beforeAll(async () => {
  place = makePlace();
  const sample = openSample(place.store);
  await sample.gate.call(sample.run, { tool: "stripe.refund", args: { amount: 6000 }, maxWaitMs: 0 }, sample.execute);
  await sample.store.close();
});
afterAll(() => place.remove());

const command = (...args: string[]) => saferun(place, [...args, "--store", place.store]);

it("a restored record takes nothing until `saferun log reconcile` says why (trap 22)", async () => {
  const [backup, gone] = [join(place.cwd, "backup"), join(place.cwd, "gone")];
  expect((await command("log", "reconcile", "--reason", "nothing")).stderr).toContain("nothing to reconcile");
  cpSync(place.store, backup, { recursive: true });
  expect((await command("stop", "--tool", "mail.send", "--reason", "drill")).code).toBe(0);
  renameSync(place.store, gone);
  renameSync(backup, place.store);

  const refused = await command("stop", "--tool", "mail.send", "--reason", "drill");
  expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringContaining("saferun log reconcile")]);
  expect((await command("log", "verify")).code).toBe(1);
  expect((await command("log", "reconcile")).stderr).toContain("--reason");

  const reconciled = await command("log", "reconcile", "--reason", "disk replaced", "--json");
  expect(reconciled.json()).toMatchObject({
    expired: 1,
    grants: 0,
    erased: 0,
    retained: 0,
    unknown: [],
    broken: [],
    unreached: [],
  });
  expect((await command("stop", "--tool", "mail.send", "--reason", "drill")).code).toBe(0);
  expect((await command("log", "verify")).code).toBe(0);
  expect((await command("log", "--json")).stdout).toContain("log.restored");
});
