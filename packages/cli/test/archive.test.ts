import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { encodePart } from "@saferun/core";
import { nodeRandom, openSqliteStore } from "@saferun/store";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample } from "./sample.ts";

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let place: Place;
let run = "";
let folder = "";
let key = "";
beforeAll(async () => {
  place = makePlace();
  const sample = openSample(place.store);
  await sample.gate.call(sample.run, { tool: "orders.get", args: { id: 17, note: "lavender" } }, sample.execute);
  run = sample.run.id;
  await sample.store.close();
  folder = join(place.cwd, "archive");
  key = (await command("log", "key")).stdout.trim();
});
afterAll(() => place.remove());

const command = (...args: string[]) => saferun(place, [...args, "--store", place.store]);

it("[L7~] saferun log archive moves entries to files that prove them, and the store stays verified", async () => {
  expect((await command("log", "search", "lavender", "--json")).stdout).toContain(run);
  expect((await command("log", "archive", "--older-than", "30d", "--to", folder)).stdout).toBe(
    "nothing is old enough to be archived\n",
  );
  const done = await command("log", "archive", "--before", "2100-01-01", "--to", folder, "--json");
  expect([done.code, done.stderr]).toEqual([0, ""]);
  const { segments } = done.json() as { segments: { from: number; to: number; file: string }[] };
  expect(segments).toMatchObject([{ from: 0 }]);
  const [{ to = 0, file = "" } = {}] = segments;
  expect((await command("log", "search", "lavender", "--json")).stdout).not.toContain(run);

  const checked = await command("log", "verify", "--pin", key, "--archive", folder);
  expect(checked.stdout).toContain(`archived: entries 0 to ${to - 1}`);
  expect(checked.stdout).toContain(`archive whole: entries 0 to ${to - 1} in 1 file`);
  expect(checked.code).toBe(0);

  const [log = ""] = readdirSync(folder);
  const segment = join(folder, log, file);
  const alone = await saferun(place, ["log", "verify", segment, "--pin", key]);
  expect([alone.code, alone.stdout]).toEqual([0, expect.stringContaining(`verified: entries 0 to ${to - 1} of log`)]);

  const exported = join(place.cwd, "log.jsonl");
  await command("log", "export", "--out", exported);
  const offline = await command("log", "verify", "--export", exported, "--pin", key);
  expect([offline.code, offline.stdout]).toEqual([0, expect.stringContaining("verified up to entry")]);

  const missing = await command("log", "proof", "1");
  expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining("archived: name the archive's folder")]);
  const proof = join(place.cwd, "entry.tlog-proof");
  expect((await command("log", "proof", "1", "--archive", folder, "--out", proof)).code).toBe(0);
  const proven = await saferun(place, ["log", "verify", proof, "--pin", key]);
  expect([proven.code, proven.stdout]).toEqual([0, expect.stringContaining("entry 1 is in the log: policy.activated")]);

  const good = readFileSync(segment);
  writeFileSync(segment, gzipSync(gunzipSync(good).toString().replace("lavender", "rosemary")));
  const altered = await command("log", "verify", "--pin", key, "--archive", folder);
  expect([altered.code, altered.stdout]).toEqual([1, expect.stringContaining(`${file}, entry`)]);
  rmSync(segment);
  const lost = await command("log", "verify", "--pin", key, "--archive", folder);
  expect([lost.code, lost.stdout]).toEqual([1, expect.stringContaining("the file that the log names is missing")]);
});

it("[L7~] saferun log retain deletes content, and the log verifies", async () => {
  const other = makePlace();
  const store = openSqliteStore({ directory: other.store, clock: { now: () => Date.now() - 40 * 86_400_000 } });
  const part = { name: "result", salt: nodeRandom.bytes(32), bytes: encodePart("lavender") };
  await store.commit({ entries: [{ type: "model.requested", run: "old", parts: [part] }] });
  await store.close();
  const at = (...args: string[]) => saferun(other, [...args, "--store", other.store]);
  expect((await at("log", "retain", "--keep", "50d")).stdout).toBe("nothing is old enough\n");
  expect((await at("log", "retain", "--keep", "30d")).stdout).toBe("1 entries have lost their content\n");
  expect((await at("log", "--json")).stdout).not.toContain("lavender");
  expect((await at("log", "verify")).code).toBe(0);
  expect((await at("log", "retain", "--keep", "lavender")).code).toBe(2);
  other.remove();
});

it("saferun log archive wants to know what is old and where to", async () => {
  expect((await command("log", "archive", "--to", folder)).stderr).toContain("--before or --older-than");
  expect((await command("log", "archive", "--older-than", "30d")).stderr).toContain("--to");
  expect((await command("log", "archive", "--before", "soon", "--to", folder)).stderr).toContain("2026-10-01");
});
