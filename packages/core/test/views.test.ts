/** Looking at content is on the record before it is shown. */
import { createViewRecorder, parseHeader, recordView, SafeRunError, type StoredEntry, type View } from "@saferun/core";
import { createMemoryStore, nodeHash, nodeRandom, verifyStore } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "./world.ts";

const by = { id: "local:dora", via: "dashboard", verified: false };
const look: View = { by, type: "payload.viewed", what: "run", target: { runs: ["run_1"] }, entries: 7 };

function world() {
  const store = createMemoryStore();
  const clock = new VirtualClock();
  const ports = { store, clock, hash: nodeHash, random: nodeRandom };
  const views = async () => {
    const entries = await store.entries({ from: 0, limit: 100 });
    return entries.map((entry) => ({ header: parseHeader(entry.header), view: contentOf(entry) }));
  };
  return { store, clock, ports, views };
}

function contentOf({ parts }: StoredEntry): unknown {
  const bytes = parts.find(({ name }) => name === "view")?.bytes;
  return bytes === undefined || bytes === null ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}

describe("recordView", () => {
  it("says who looked with what at what, in an entry that is of no run", async () => {
    const { ports, store, views } = world();
    await recordView(ports, look);
    const [{ header, view } = expect.fail("no entry")] = await views();
    expect(header).toMatchObject({ type: "payload.viewed" });
    expect(header.run).toBeUndefined();
    expect(view).toEqual({ by, what: "run", runs: ["run_1"], entries: 7 });
    expect((await verifyStore(store)).faults).toEqual([]);
  });

  it("keeps a digest of a query, which is free text", async () => {
    const { ports, views } = world();
    await recordView(ports, { ...look, type: "log.exported", target: { query: "ann@example.org" } });
    const [{ header, view } = expect.fail("no entry")] = await views();
    expect(header.type).toBe("log.exported");
    expect(view).toMatchObject({ query: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(JSON.stringify(view)).not.toContain("ann");
  });

  it("fails where the store does", async () => {
    const { ports } = world();
    const full = { commit: () => Promise.reject(new SafeRunError("record.full", "the disk is full")) };
    await expect(recordView({ ...ports, store: full }, look)).rejects.toMatchObject({ code: "record.full" });
    const refusing = { commit: async () => ({ ok: false, conflict: { kind: "stops", id: "board" } }) as const };
    await expect(recordView({ ...ports, store: refusing }, look)).rejects.toMatchObject({ code: "record.busy" });
  });
});

describe("createViewRecorder", () => {
  it("records the same look once in ten minutes, also when it is asked for at once", async () => {
    const { ports, clock, views } = world();
    const record = createViewRecorder(ports);
    await Promise.all([record(look), record(look), record({ ...look, entries: 8 })]);
    expect(await views()).toHaveLength(1);
    clock.time += 599_999;
    await record(look);
    expect(await views()).toHaveLength(1);
    clock.time += 1;
    await record(look);
    expect(await views()).toHaveLength(2);
    // A clock that was set back.
    clock.time -= 5_000_000;
    await record(look);
    expect(await views()).toHaveLength(3);
  });

  it("records another person, run, page or kind of look on its own", async () => {
    const { ports, views } = world();
    const record = createViewRecorder(ports);
    const looks: View[] = [
      look,
      { ...look, by: { ...by, id: "local:eve" } },
      { ...look, by: { ...by, verified: true } },
      { ...look, target: { runs: ["run_2"] } },
      { ...look, target: { runs: ["run_1"], calls: ["call_1"] } },
      { ...look, target: { query: "x" } },
      { ...look, target: { range: { from: 0, to: 5 } } },
      { ...look, what: "log" },
      { ...look, type: "log.exported" },
    ];
    for (const one of [...looks, ...looks]) await record(one);
    expect(await views()).toHaveLength(looks.length);
  });

  it("does not remember a look that could not be recorded, and lets nobody have it", async () => {
    const { ports, store, views } = world();
    let broken = true;
    const flaky: Pick<typeof store, "commit"> = {
      commit: (transaction) =>
        broken ? Promise.reject(new SafeRunError("record.full", "the disk is full")) : store.commit(transaction),
    };
    const record = createViewRecorder({ ...ports, store: flaky });
    const asked = await Promise.allSettled([record(look), record(look)]);
    expect(asked.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    broken = false;
    await record(look);
    expect(await views()).toHaveLength(1);
  });
});
