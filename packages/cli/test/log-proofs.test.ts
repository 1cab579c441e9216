import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makePlace, type Place, saferun, start } from "./saferun.ts";
import { openSample } from "./sample.ts";

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let place: Place;
let key = "";
beforeAll(async () => {
  place = makePlace();
  const { gate, run, execute, store } = openSample(place.store);
  await gate.call(run, { tool: "orders.get", args: { id: 17 } }, execute);
  await store.close();
  key = (await command("log", "key")).stdout.trim();
});
afterAll(() => place.remove());

const command = (...args: string[]) => saferun(place, [...args, "--store", place.store]);
/** Somebody else, who has files and the key and no store. */
const elsewhere = (...args: string[]) => saferun(place, ["log", "verify", ...args, "--pin", key]);

describe("saferun log checkpoint, proof, verify FILE", () => {
  it("[L2~] prove an entry and the log's growth to somebody who has no store", async () => {
    const first = await command("log", "checkpoint", "--json");
    const { entries } = first.json() as { entries: number };
    const { gate, run, execute, store } = openSample(place.store);
    await gate.call(run, { tool: "orders.get", args: { id: 18 } }, execute);
    await store.close();
    expect(await command("log", "proof", "1", "--out", "one.tlog-proof")).toMatchObject({ code: 0, stdout: "" });
    expect(await command("log", "proof", "--since", String(entries), "--out", "grown.proof")).toMatchObject({
      code: 0,
    });
    const one = await elsewhere("one.tlog-proof");
    expect(one).toMatchObject({ code: 0 });
    expect(one.stdout).toMatch(/^verified: entry 1 is in the log: policy\.activated at \S+, by key saferun\.local/);
    const grown = (await elsewhere("grown.proof", "--json")).json();
    expect(grown).toMatchObject({ kind: "consistency", status: "verified", from: entries });
    // Evidence is never written over.
    expect(await command("log", "proof", "1", "--out", "one.tlog-proof")).toMatchObject({ code: 3 });
    const text = readFileSync(join(place.cwd, "one.tlog-proof"), "utf8");
    writeFileSync(join(place.cwd, "bent.proof"), text.replace("index 1", "index 2"));
    expect(await elsewhere("bent.proof")).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^not verified: entry 2/),
    });
    writeFileSync(join(place.cwd, "none.proof"), "no proof\n");
    expect(await elsewhere("none.proof")).toMatchObject({ code: 2, stdout: "" });
    expect(await saferun(place, ["log", "verify", "one.tlog-proof"])).toMatchObject({ code: 2, stdout: "" });
  });

  it("say what cannot be proven", async () => {
    expect(await command("log", "proof")).toMatchObject({ code: 2 });
    expect(await command("log", "proof", "100000")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("not signed yet"),
    });
    expect(await command("log", "proof", "--since", "2")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("signs 2 entries"),
    });
  });

  it("[L3~] find with kept checkpoints that the log was cut back, which the log alone does not show", async () => {
    const anchors = join(place.cwd, "anchors");
    const before = await command("log", "checkpoint");
    writeFileSync(anchors, `${before.stdout}\n${(await command("log", "checkpoint", "--last")).stdout}`);
    const anchored = await command("log", "verify", "--pin", key, "--anchor", anchors, "--json");
    expect(anchored).toMatchObject({ code: 0 });
    const { anchored_up_to, signed_up_to } = anchored.json();
    expect(anchored_up_to).toBe(signed_up_to);
    const { entries } = (await command("log", "verify", "--json")).json() as { entries: number };
    const other = makePlace();
    const copy = openSample(other.store);
    await copy.gate.call(copy.run, { tool: "orders.get", args: { id: 1 } }, copy.execute);
    await copy.store.close();
    const found = await saferun(other, ["log", "verify", "--store", other.store, "--anchor", anchors, "--json"]);
    expect(found).toMatchObject({ code: 1 });
    expect((found.json().faults as { where: string }[]).map(({ where }) => where)).toContain("kept checkpoint");
    expect(entries).toBeGreaterThan(0);
    other.remove();
    writeFileSync(anchors, "nothing of the kind");
    expect(await command("log", "verify", "--anchor", anchors)).toMatchObject({ code: 3, stdout: "" });
  });
});

describe("saferun log witness", () => {
  it("[L3~] signs what an agent's machine sends, and verify counts only that", async () => {
    const witness = start(place, ["log", "witness", "--log", key, "--listen", "127.0.0.1:0", "--json"]);
    try {
      const [line] = (await once(witness.stdout, "data")) as [Buffer];
      const said = JSON.parse(line.toString()) as { key: string; anchor: string };
      const anchors = join(place.cwd, "witnessed");
      const environment = { SAFERUN_ANCHORS: `${said.anchor} file://${anchors}` };
      expect(await saferun(place, ["log", "checkpoint", "--store", place.store], "", environment)).toMatchObject({
        code: 0,
      });
      const verify = (...args: string[]) => command("log", "verify", "--pin", key, "--anchor", ...args);
      const { anchored_up_to } = (await verify(anchors, "--witness", said.key, "--json")).json();
      expect(anchored_up_to).toBeGreaterThan(0);
      const plain = join(place.cwd, "plain");
      writeFileSync(plain, (await command("log", "checkpoint", "--last")).stdout);
      expect(await verify(plain, "--witness", said.key)).toMatchObject({ code: 3, stdout: "" });
    } finally {
      witness.kill();
      await once(witness, "close");
    }
  });
});

describe("saferun log rotate-key", () => {
  it("[L3~] changes the key, and verify follows it from the one that was kept", async () => {
    const changed = await command("log", "rotate-key");
    expect(changed).toMatchObject({ code: 0 });
    const after = changed.stdout.trim();
    expect(after).not.toBe(key);
    expect((await command("log", "key")).stdout.trim()).toBe(after);
    for (const pin of [key, after]) {
      const verified = await command("log", "verify", "--pin", pin);
      expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining(`on signed by ${after}`) });
    }
  });
});
