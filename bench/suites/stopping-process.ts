/**
 * An operator in another process: `stopping-process.ts STORE` says that it is ready, waits for a line, stops every call, and
 * prints when that was durable, in ms since 1970.
 */
import { once } from "node:events";
import { stopCalls } from "@saferun/core";
import { nodeClock, nodeRandom, openSqliteStore } from "@saferun/store";

const [directory = ""] = process.argv.slice(2);
const store = openSqliteStore({ directory, busyMs: 60_000 });
process.stdout.write("ready\n");
await once(process.stdin, "data");
const stop = {
  scope: { agent: null, tool: null, run: null },
  reason: "an incident",
  by: { id: "ann", kind: "person", roles: ["admin"] },
} as const;
const asked = performance.timeOrigin + performance.now();
const placed = await stopCalls({ store, clock: nodeClock, random: nodeRandom }, stop);
if (!placed.ok) throw new Error(`the stop was refused: ${placed.why}`);
process.stdout.write(`${JSON.stringify({ asked, placed: performance.timeOrigin + performance.now() })}\n`);
process.stdin.destroy();
await store.close();
