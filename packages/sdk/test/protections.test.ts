import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Actor, type Alarm, type Store, stopCalls } from "@saferun/core";
import { createMemoryStore, nodeClock, nodeRandom } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isDenied, saferun } from "../src/index.ts";

const ADMIN: Actor = { id: "ann", kind: "person", roles: ["admin"] };
const ALL = { agent: null, tool: null, run: null };

let files = 0;
let directory: string;
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-sdk-"));
  store = createMemoryStore();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function options(text: string, more: object = {}) {
  // Its own file each time: the files of a store are followed.
  const file = join(directory, `policies-${++files}.yaml`);
  const head = "saferun: policy/v1\nenvironments: { prod: { unmatched: deny } }\n";
  writeFileSync(file, `${head}rules: [{ id: all, tool: "*", then: allow }]\n${text}`);
  return { policies: [file], store, environment: "prod", ...more };
}

describe("wrapped tools", () => {
  it("[B3~] spend from budgets that files declare, by the day of a zone", async () => {
    const budgets = `
budgets:
  - id: mails
    tool: mail
    unit: emails
    per: { key: [agent], window: { calendar: day, zone: Europe/Zurich } }
    limit: 2
    reason: Two mails a day are enough.
`;
    let sent = 0;
    const mail = saferun.wrap(async function mail(_args: { to: string }) {
      sent++;
      return "sent";
    }, options(budgets));
    for (const to of ["a", "b"]) expect(await mail({ to })).toBe("sent");
    const third = await mail({ to: "c" });
    expect(isDenied(third) && third).toMatchObject({ rules: ["budget:mails"], reason: "Two mails a day are enough." });
    expect(sent).toBe(2);
  });

  it("[B6~] hear of a stop while they run, and of a caller that gives up", async () => {
    const started: AbortSignal[] = [];
    const slow = saferun.wrap(async function slow(_args: { n: number }, given?: { signal?: AbortSignal }) {
      const { signal } = given ?? {};
      if (signal === undefined) throw new Error("no signal");
      started.push(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }, options(""));
    const stopped = slow({ n: 1 });
    while (started.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const ports = { store, clock: nodeClock, random: nodeRandom };
    expect(await stopCalls(ports, { scope: ALL, reason: "incident", by: ADMIN })).toMatchObject({ ok: true });
    await expect(stopped).rejects.toThrow("stopped by an operator: incident");
    expect((await store.callsIn(["unknown"], 10)).length).toBe(1);
    expect(isDenied(await slow({ n: 2 }))).toBe(true);
    expect(started).toHaveLength(1);
  });

  it("a caller's signal of another realm reaches the tool, which runs once", async () => {
    const listeners: (() => void)[] = [];
    const foreign = {
      aborted: false,
      reason: new Error("given up"),
      addEventListener: (_type: string, listener: () => void) => void listeners.push(listener),
      removeEventListener: () => undefined,
    };
    let ran = 0;
    const slow = saferun.wrap(async function slow(_args: { n: number }, given?: { signal?: AbortSignal }) {
      ran++;
      const { signal } = given ?? {};
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    }, options(""));
    const answer = slow({ n: 1 }, { signal: foreign as never });
    while (ran === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const listener of listeners) listener();
    await expect(answer).rejects.toThrow("given up");
    expect(ran).toBe(1);
  });

  it("[B9] an agent inside a tool spends from the run around it, and repeats what that run did", async () => {
    const budgets = `
tools: { look: { kind: read }, outer: { kind: read } }
budgets:
  - { id: looks, tool: look, unit: calls, per: { window: run }, limit: 2 }
`;
    let looked = 0;
    const given = options(budgets);
    const look = saferun.wrap(async function look(_args: { n: number }) {
      looked++;
      return looked;
    }, given);
    const outer = saferun.wrap(async function outer(_args: object) {
      return saferun.run({ id: "inner" }, async () => [await look({ n: 1 }), await look({ n: 2 })]);
    }, given);
    const answers = await saferun.run({ id: "outer" }, async () => [await look({ n: 0 }), await outer({})]);
    expect(looked).toBe(2);
    expect(isDenied((answers[1] as unknown[])[1])).toBe(true);

    // Three looks at the same, by two runs: the fourth is a loop whoever makes it.
    const free = options("tools: { look: { kind: read }, outer: { kind: read } }\n");
    const same = saferun.wrap(async function look(_args: { q: string }) {
      return "nothing";
    }, free);
    const agent = saferun.wrap(async function outer(_args: object) {
      return saferun.run({ id: "inner-2" }, async () => [await same({ q: "x" }), await same({ q: "x" })]);
    }, free);
    const all = await saferun.run({ id: "outer-2" }, async () => {
      return [await same({ q: "x" }), await same({ q: "x" }), await agent({})] as const;
    });
    const [third, fourth] = all[2] as readonly unknown[];
    expect([all[0], all[1], third]).toEqual(["nothing", "nothing", "nothing"]);
    expect(isDenied(fourth) && fourth.rules).toEqual(["breaker:repeat"]);
  });

  it("[B7~] a trip is told at once, with why", async () => {
    const alarms: Alarm[] = [];
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => void warnings.push(message);
    process.on("warning", onWarning);
    const look = saferun.wrap(
      async function look(_args: { n: number }) {
        return "the same";
      },
      options("tools: { look: { kind: read } }\n", {
        onAlarm: (alarm: Alarm) => {
          alarms.push(alarm);
          throw new Error("nobody listens");
        },
      }),
    );
    await saferun.run({ id: "loop" }, async () => {
      for (let n = 0; n < 3; n++) expect(await look({ n: 1 })).toBe("the same");
      for (let n = 0; n < 2; n++) expect(isDenied(await look({ n: 1 }))).toBe(true);
    });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    // Who should have listened could not: then it is said where an operator looks.
    expect(warnings.join("\n")).toContain("the run `loop` is stopped until a person resets it");
    expect(alarms).toMatchObject([
      { run: "loop", changes: [{ scope: "run", to: "stopped", trip: { cause: "loop" } }] },
    ]);
  });

  it("an annotation stands beside the result", async () => {
    const text =
      "tools: { look: { kind: read } }\nbreakers: [{ repeat: { over: annotate }, similar: { mode: observe } }]\n";
    const look = saferun.wrap(async function look(_args: { n: number }) {
      return "the same";
    }, options(text));
    const results = await saferun.run({ id: "noted" }, async () => {
      const all: unknown[] = [];
      for (let n = 0; n < 4; n++) all.push(await look({ n: 1 }));
      return all;
    });
    expect(results[0]).toBe("the same");
    expect(String(results[3])).toContain("the same\n\n");
    expect(String(results[3])).toContain("breaker:repeat");
  });
});
