/** An agent in a process of its own: one call after another waits for a person. `dashboard-agent-process.ts DIRECTORY CALLS` */
import { createGate } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";

const POLICY = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
tools:
  refund: { kind: write }
rules:
  - { id: ask, tool: refund, then: pause }
`;

const [directory = "", calls = "0"] = process.argv.slice(2);
const loaded = loadPolicies([{ file: "bench.yaml", text: POLICY }], { hash: nodeHash });
if (!loaded.ok) throw new Error("the benchmark's policy does not load");
const store = openSqliteStore({ directory });
const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
const gate = createGate({ ...ports, notifier: { paused() {} }, policies: { current: () => loaded.policies } });
for (let number = 0; number < Number(calls); number++) {
  const run = gate.openRun({ agent: "bench", environment: "prod" });
  let contact = 0;
  await gate.call(run, { tool: "refund", args: { amount: number } }, () => {
    contact = performance.timeOrigin + performance.now();
    return "done";
  });
  // The moment of the tool's first instruction, ms since 1970.
  process.stdout.write(`${contact}\n`);
}
await store.close();
