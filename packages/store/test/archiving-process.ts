/** Archives a store and is killed where it is told to be: `directory folder point`. */
import { join } from "node:path";
import { archiveStore, createCheckpointer, createFileSigner, openSqliteStore } from "../src/index.ts";

const [, , directory = "", to = "", point = ""] = process.argv;
const below = openSqliteStore({ directory });
const signer = createFileSigner(join(directory, "log.key"));
const store = createCheckpointer(below, signer);

function die(where: string): void {
  if (where === point) process.kill(process.pid, "SIGKILL");
}

let signed = false;
const dying: typeof store = {
  ...store,
  async checkpoint() {
    die("before the checkpoint");
    await store.checkpoint();
    signed = true;
    die("after the checkpoint");
  },
  async entries(query) {
    // Read again to be written: the file is open.
    if (signed) die("while the file is written");
    return store.entries(query);
  },
  async commit(transaction) {
    die("before the commit");
    const result = await store.commit(transaction);
    die("after the commit");
    return result;
  },
};
await archiveStore(dying, { to, before: Number.MAX_SAFE_INTEGER, by: "local:test", signer, segmentEntries: 20 });
