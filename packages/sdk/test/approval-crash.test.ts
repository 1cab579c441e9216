/**
 * `kill -9` at every boundary of a paused call's life, and what another process makes of it. The effect is counted at the
 * tool: never twice, never with other arguments, never after a denial or silence; and where nothing was claimed yet, the
 * call still comes to its end. `SAFERUN_CRASH_ROUNDS` says how often (3; a soak takes 20).
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CallState, recover } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore, verifyStore } from "@saferun/store";
import { afterAll, describe, expect, it } from "vitest";
import { answer, callOnce, effectsOf, runOf, type Scenario, storeIn } from "./approval-world.ts";

const ROUNDS = Number(process.env.SAFERUN_CRASH_ROUNDS ?? 3);

const calls = Array.from({ length: ROUNDS }, (_, call) => call);

const base = mkdtempSync(join(tmpdir(), "saferun-approval-crash-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const script = fileURLToPath(new URL("./crashing-process.ts", import.meta.url));

const around = (...commits: number[]) => commits.flatMap((n) => [`before commit ${n}`, `after commit ${n}`]);
/** Commits: 1 asks, 2 decides (or expires), 3 claims, 4 finishes. */
const USED = [...around(1, 2, 3), "before the effect", "after the effect", ...around(4)];
const POINTS: Readonly<Record<Scenario, readonly string[]>> = {
  approve: USED,
  edit: USED,
  deny: around(1, 2),
  expire: around(1, 2),
};
/** Until the claim is durable nothing has been contacted: another process finishes the call. */
const UNCLAIMED = new Set([...around(1, 2), "before commit 3"]);
const EXPECTED: Readonly<Record<Scenario, string[]>> = {
  approve: ['{"amount":500}'],
  edit: ['{"amount":450}'],
  deny: [],
  expire: [],
};
const FINISHED: Readonly<Record<Scenario, CallState>> = {
  approve: "succeeded",
  edit: "succeeded",
  deny: "denied",
  expire: "expired",
};

/** All rounds of a point at once: as many calls in one process, so that a soak starts 28 processes and not 560. */
function killed(directory: string, scenario: Scenario, point: string): Promise<NodeJS.Signals | null> {
  const flags = ["--conditions=@saferun/source", "--no-warnings"];
  const child = spawn(process.execPath, [...flags, script, directory, scenario, point, String(ROUNDS)], {
    stdio: "inherit",
    // Where a call never comes to the point: that is no SIGKILL.
    timeout: 60_000,
  });
  return new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)));
}

/** Repairs as a start does, answers what still waits, and asks for each call twice more. */
async function takenUp(directory: string, scenario: Scenario): Promise<(CallState | "none")[]> {
  const store = openSqliteStore({ directory: storeIn(directory) });
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  try {
    await recover(store, nodeClock);
    const waiting = await store.approvals({ state: "pending", limit: ROUNDS + 1 });
    for (const { id } of waiting) await answer(ports, id, scenario);
    const states = calls.map(async (call) => {
      await callOnce(directory, store, scenario, call);
      await callOnce(directory, store, scenario, call);
      return (await store.callByKey(runOf(call), "k"))?.state ?? "none";
    });
    const ends = await Promise.all(states);
    expect(await verifyStore(store)).toMatchObject({ faults: [] });
    return ends;
  } finally {
    await store.close();
  }
}

function effects(directory: string, call: number): string[] {
  const file = effectsOf(directory, call);
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

const rows = Object.entries(POINTS).flatMap(([scenario, points]) =>
  points.map((point) => [scenario as Scenario, point] as const),
);

describe("a process that is killed while its calls are decided (traps 15 and 17)", { timeout: 120_000 }, () => {
  it.each(rows)(`[A1~] [A2~] [A4~] %s, killed %s: ${ROUNDS} rounds`, async (scenario, point) => {
    const directory = mkdtempSync(join(base, "killed-"));
    expect(await killed(directory, scenario, point)).toBe("SIGKILL");
    const states = await takenUp(directory, scenario);
    const ran = calls.map((call) => effects(directory, call));
    rmSync(directory, { recursive: true, force: true });
    const each = <End>(end: End) => calls.map(() => end);
    const expected = EXPECTED[scenario];
    if (UNCLAIMED.has(point)) {
      expect(ran).toEqual(each(expected));
      expect(states).toEqual(each(FINISHED[scenario]));
    } else {
      // After the claim the tool may have acted: what is not known is called unknown, and nothing runs again.
      const acted = point !== "after commit 3" && point !== "before the effect";
      expect(ran).toEqual(each(acted ? expected : []));
      expect(states).toEqual(each(point === "after commit 4" ? "succeeded" : "unknown"));
    }
    const ends = new Set(states.map((state, call) => `${state} ${ran[call]?.length}`));
    console.log(`${scenario.padEnd(8)} ${point.padEnd(18)} ${ROUNDS} × ${[...ends].join(", ")}`);
  });
});
