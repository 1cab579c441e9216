/** Sealed content at the command line: shown where the key is, kept sealed in what proves the log. */
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { encodePart, sealScope } from "@saferun/core";
import {
  createCheckpointer,
  createFileSigner,
  nodeHash,
  nodeRandom,
  openReadOnlySqliteStore,
  openSqliteStore,
  openStoreKeys,
  redacted,
  signingKeyPath,
} from "@saferun/store";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openExportFile } from "../src/log/export-file.ts";
import { makePlace, type Place, saferun } from "./saferun.ts";

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let place: Place;
beforeAll(async () => {
  place = makePlace();
  const directory = place.store;
  const store = redacted(
    createCheckpointer(openSqliteStore({ directory }), createFileSigner(signingKeyPath(directory))),
    openStoreKeys(directory),
  );
  const scope = sealScope("run", "run_1", nodeHash);
  const keep = { record: "full", unsearched: [], subject: null, seal: "run", scope } as const;
  // What was no call has no row that the log would be held against.
  const request = encodePart({ tool: "ship", arguments: { to: "lavender street" } });
  const parts = [{ name: "request", salt: nodeRandom.bytes(32), bytes: request }];
  await store.commit({ entries: [{ type: "call.proposed", run: "run_1", call: "call_1", tool: "ship", keep, parts }] });
  await store.close();
});
afterAll(() => place.remove());

const command = (...args: string[]) => saferun(place, [...args, "--store", place.store]);

it("an export that was begun in the clear goes on in the clear, and one that was not stays sealed", async () => {
  const reading = openReadOnlySqliteStore({ directory: place.store });
  const head = { log: reading.logId, ...(await reading.head()), query: null, key: null };
  await reading.close();
  const cut = (name: string, unsealed: boolean): string => {
    const path = join(place.store, "..", name);
    openExportFile(path, { format: "csv", unsealed, now: Date.now(), head }, false);
    return path;
  };
  const [clear, sealed] = [cut("clear.csv", true), cut("sealed.csv", false)];
  const goOn = (path: string, ...more: string[]) =>
    command("log", "export", "-f", "csv", "--resume", "-o", path, ...more);
  expect(await goOn(sealed, "--unseal")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("without --unseal"),
  });
  expect([(await goOn(clear)).code, (await goOn(sealed)).code]).toEqual([0, 0]);
  expect(readFileSync(clear, "utf8")).toContain("lavender street");
  expect(readFileSync(sealed, "utf8")).not.toContain("lavender");
  expect(readFileSync(sealed, "utf8")).toContain("run_1");
});

it("[L6~] the log and a search show it, exports keep it sealed unless told, and verify needs no key", async () => {
  expect((await command("log", "--json")).stdout).toContain("lavender street");
  expect((await command("log", "search", "tool:ship", "--json")).stdout).toContain("lavender street");
  expect((await command("log", "search", "lavender", "--json")).stdout).not.toContain("call_1");
  expect((await command("log", "export")).stdout).not.toContain("lavender");
  expect((await command("log", "export", "--format", "csv", "--unseal")).stdout).toContain("lavender street");
  expect(await command("log", "export", "--unseal")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("`--unseal` goes with `--format csv`"),
  });
  renameSync(join(place.store, "seal.key"), join(place.store, "..", "kept"));
  const blind = await command("log", "--json");
  expect(blind.stderr).toContain("seal.missing");
  expect(blind.stdout).toContain('"sealed": true');
  expect(blind.stdout).not.toContain("lavender");
  const unread = await command("replay", "run_1", "--step", "1");
  expect(unread.stdout).toContain("sealed: its key is not beside the store");
  expect(JSON.parse((await command("replay", "run_1", "--json")).stdout)).toMatchObject({
    steps: [{ arguments: { proposed: { state: "sealed", key: expect.stringMatching(/^[0-9a-f]{32}$/) } } }],
  });
  expect((await command("log", "verify")).code).toBe(0);
});

it("[L6~] who looks at what was sealed is in the log, and whoever looks at what was erased is told by whom and why", async () => {
  renameSync(join(place.store, "..", "kept"), join(place.store, "seal.key"));
  const step = () => command("replay", "run_1", "--step", "1");
  expect((await step()).stdout).toContain("lavender street");
  const views = (await command("log", "search", "type:payload.viewed", "--json")).stdout;
  expect(views).toContain("run_1");
  const erased = await command("log", "erase", "--run", "run_1", "--reason", "request 2026-118");
  expect(erased.stdout).toContain("destroyed 1 key");
  expect((await step()).stdout).toMatch(/erased from the log on .+ by local:.+: request 2026-118 \(entry \d+\)/);
  expect((await command("log", "verify")).code).toBe(0);
});
