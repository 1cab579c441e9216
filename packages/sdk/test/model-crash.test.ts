/** A process that is killed while its model answers: what it held stays held, and is booked at its deadline. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LLMock } from "@copilotkit/aimock";
import { bookLostModels, decodePot, LIMITS, parseHeader, recover, type Store } from "@saferun/core";
import { nodeClock, nodeRandom, openSqliteStore } from "@saferun/store";
import { expect, it } from "vitest";

const POLICIES = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
rules: [{ id: all, tool: "*", then: allow }]
budgets:
  - { id: spend, model: "*", unit: usd, per: { window: ever }, limit: "1.00" }
`;

async function pot(store: Store): Promise<readonly [held: bigint, spent: bigint]> {
  const [row] = await store.rows({ kind: "pot", limit: 9 });
  if (row === undefined) throw new Error("no pot");
  const { held, spent } = decodePot(row.value);
  return [held, spent];
}

it("[B2~] a call of a killed process keeps its hold to its deadline, then books its estimate (trap 19)", async () => {
  const directory = mkdtempSync(join(tmpdir(), "saferun-model-crash-"));
  const server = new LLMock({ host: "127.0.0.1", port: 0, logLevel: "silent" });
  const arrived = Promise.withResolvers<void>();
  server.on({ predicate: () => true }, () => {
    arrived.resolve();
    return new Promise(() => {});
  });
  await server.start();
  const policies = join(directory, "policies.yaml");
  writeFileSync(policies, POLICIES);
  const file = fileURLToPath(new URL("./asking-process.ts", import.meta.url));
  const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
  const where = join(directory, "store");
  const asking = spawn(process.execPath, [...flags, file, `${server.url}/v1`, where, policies], {
    env: { ...process.env, SAFERUN_STATE_DIR: join(directory, "state") },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(asking, "exit");
  try {
    await Promise.race([arrived.promise, exited]);
    asking.kill("SIGKILL");
    await exited;
    const store = openSqliteStore({ directory: where });
    await recover(store, nodeClock);
    expect(await bookLostModels({ store, clock: nodeClock, random: nodeRandom })).toEqual([]);
    expect(await pot(store)).toEqual([100_000n, 0n]);
    const clock = { ...nodeClock, now: () => nodeClock.now() + LIMITS.modelHoldMs };
    expect(await bookLostModels({ store, clock, random: nodeRandom })).toHaveLength(1);
    expect(await pot(store)).toEqual([0n, 100_000n]);
    const last = (await store.entries({ from: 0, limit: 99 })).at(-1);
    expect(last && parseHeader(last.header).type).toBe("model.lost");
    await store.close();
  } finally {
    asking.kill("SIGKILL");
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
