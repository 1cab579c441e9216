/** Opens the store as an account that is not root, and says how that ended: `node opening-process.ts DIRECTORY`. */
import { SafeRunError } from "@saferun/core";
import { openSqliteStore } from "../src/index.ts";

const [directory = ""] = process.argv.slice(2);
const NOBODY = 65_534;
// For root no directory is read-only.
if (process.geteuid?.() === 0) {
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
try {
  const store = openSqliteStore({ directory });
  await store.commit({ entries: [{ type: "call.lost" }] });
  await store.close();
  process.stdout.write("opened");
} catch (error) {
  process.stdout.write(error instanceof SafeRunError ? error.code : String(error));
}
