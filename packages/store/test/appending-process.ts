/** A process that appends until it is ended, and says what was acknowledged: `node appending-process.ts DIRECTORY [COUNT]`. */
import { writeSync } from "node:fs";
import { encodePart } from "@saferun/core";
import { nodeRandom, openSqliteStore } from "../src/index.ts";

const [directory = "", count = "Infinity"] = process.argv.slice(2);
const store = openSqliteStore({ directory });
const callers = Array.from({ length: 4 }, async (_, caller) => {
  for (let number = 0; number < Number(count) / 4; number++) {
    const call = `${process.pid}.${caller}.${number}`;
    const parts = [{ name: "result", salt: nodeRandom.bytes(32), bytes: encodePart(call) }];
    await store.commit({ entries: [{ type: "call.proposed", run: `run${caller}`, call, parts }] });
    // Synchronous: what was said before the end was acknowledged before the end.
    writeSync(1, `${call}\n`);
  }
});
await Promise.all(callers);
await store.close();
