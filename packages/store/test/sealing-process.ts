/**
 * Seals one content in a process of its own: `node sealing-process.ts DIRECTORY SCOPE POINT`. At `commit` it is killed when the
 * key is made and what it seals is not written yet; `destroy` destroys the scope's key and does nothing else.
 */
import { writeSync } from "node:fs";
import { encodePart, type Store } from "@saferun/core";
import { nodeRandom, openSqliteStore, openStoreKeys, redacted } from "../src/index.ts";

const [directory = "", scope = "", point = ""] = process.argv.slice(2);
const keys = openStoreKeys(directory);
if (point === "destroy") {
  keys.destroy([scope]);
  process.exit(0);
}
const opened = openSqliteStore({ directory, busyMs: 60_000 });
const dying: Store = {
  ...opened,
  commit: async (transaction) => {
    if (point === "commit") process.kill(process.pid, "SIGKILL");
    return opened.commit(transaction);
  },
};
const store = redacted(dying, keys);
await store.commit({
  entries: [
    {
      type: "call.proposed",
      call: `call_${process.pid}`,
      keep: { record: "full", unsearched: [], subject: null, seal: "run", scope },
      parts: [{ name: "arguments", salt: nodeRandom.bytes(32), bytes: encodePart({ pid: process.pid }) }],
    },
  ],
});
await store.close();
writeSync(1, "sealed\n");
