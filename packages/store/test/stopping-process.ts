/** An operator in another process: `node stopping-process.ts DIRECTORY` stops every call, and says so when it is durable. */
import { writeSync } from "node:fs";
import { stopCalls } from "@saferun/core";
import { nodeClock, nodeRandom, openSqliteStore } from "../src/index.ts";

const [directory = ""] = process.argv.slice(2);
const store = openSqliteStore({ directory, busyMs: 60_000 });
const placed = await stopCalls(
  { store, clock: nodeClock, random: nodeRandom },
  {
    scope: { agent: null, tool: null, run: null },
    reason: "an incident",
    by: { id: "ann", kind: "person", roles: ["admin"] },
  },
);
writeSync(1, placed.ok ? "placed\n" : `refused: ${placed.why}\n`);
await store.close();
