/** The stop switch under load, on the real store: calls go on in one process while another one stops them. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Answer, createGate, type Decision, type PolicySet, parseHeader, WITHOUT_LIMITS } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "../src/index.ts";

vi.setConfig({ testTimeout: 120_000 });

/** 50 calls a second. */
const EVERY_MS = 20;
const BEFORE = 25;
const AFTER = 25;

const base = mkdtempSync(join(tmpdir(), "saferun-stops-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const script = fileURLToPath(new URL("./stopping-process.ts", import.meta.url));
const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];

const ALLOWED: Decision = { verdict: "allow", by: ["all"], reason: "", revision: "r1", rules: [], pauses: [] };
const kindOf = (tool: string) => (tool === "pay" ? "write" : "read");
const policies: PolicySet = {
  ...WITHOUT_LIMITS,
  revision: "r1",
  evaluate: () => ALLOWED,
  explain: () => ALLOWED,
  kind: kindOf,
  traits: (tool) => ({ kind: kindOf(tool) }),
  declares: () => true,
  boundPaths: () => [],
  bound: (_tool, args) => args,
};

/** A gate whose calls, payments and look-ups in turn, take some time at their tools. */
function working(directory: string, busyMs = 60_000) {
  const store = openSqliteStore({ directory, busyMs });
  const gate = createGate({
    store,
    policies: { current: () => policies },
    clock: nodeClock,
    hash: nodeHash,
    random: nodeRandom,
    notifier: { paused: () => undefined },
  });
  const contacted: string[] = [];
  let number = 0;
  function call(): Promise<Answer> {
    const run = gate.openRun({ agent: "bot", environment: "prod" });
    const tool = ++number % 2 === 0 ? "pay" : "look";
    return gate.call(run, { tool, args: { number } }, async ({ callId }) => {
      contacted.push(callId);
      await wait(2 * EVERY_MS);
      return "done";
    });
  }
  return { store, contacted, call };
}

describe("a stop from another process, while 50 calls a second run", () => {
  it("[B6~] nothing is claimed after it in the order of the store, payments and look-ups alike", async () => {
    const directory = join(base, "load");
    const { store, contacted, call } = working(directory);
    const answers: Promise<Answer>[] = [];
    let denied = 0;
    let said = "";
    for (let stopping = false; denied < AFTER; await wait(EVERY_MS)) {
      const answer = call();
      answers.push(answer);
      void answer.then(({ status }) => {
        if (status === "denied") denied++;
      });
      if (stopping || contacted.length < BEFORE) continue;
      stopping = true;
      const child = spawn(process.execPath, [...flags, script, directory], { stdio: ["ignore", "pipe", "inherit"] });
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    await Promise.all(answers);
    expect(said).toBe("placed\n");
    const entries = await store.entries({ from: 0, limit: 100_000 });
    const headers = entries.map(({ header }) => parseHeader(header));
    await store.close();
    const stop = headers.findIndex(({ type }) => type === "stop.placed");
    const claims = headers.flatMap(({ type, tool = "", call: id }, seq) =>
      type === "call.executing" ? [{ seq, tool, id }] : [],
    );
    expect(new Set(claims.filter(({ seq }) => seq < stop).map(({ tool }) => tool))).toEqual(new Set(["pay", "look"]));
    expect(claims.filter(({ seq }) => seq > stop)).toEqual([]);
    // What ran was claimed, each once; and calls did come after the stop.
    expect([...contacted].sort()).toEqual(claims.map(({ id }) => id).sort());
    const late = headers.slice(stop).filter(({ type, verdict }) => type === "call.decided" && verdict === "deny");
    expect(late.length).toBeGreaterThanOrEqual(AFTER);
  });

  it("[B6~] a store that somebody else holds refuses in time: no tool starts, none that reads either", async () => {
    const directory = join(base, "held");
    const { store, contacted, call } = working(directory, 50);
    for (let number = 0; number < 2; number++) expect((await call()).status).toBe("ran");
    const holder = new DatabaseSync(join(directory, "log.db"));
    holder.exec("BEGIN IMMEDIATE");
    const held = await Promise.all([call(), call(), call(), call()]);
    expect(held.map(({ status }) => status)).toEqual(Array(4).fill("denied"));
    expect(contacted).toHaveLength(2);
    holder.exec("ROLLBACK");
    holder.close();
    for (let number = 0; number < 2; number++) expect((await call()).status).toBe("ran");
    expect(contacted).toHaveLength(4);
    await store.close();
  });
});
