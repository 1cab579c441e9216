/**
 * One verification in a process of its own, so that its peak memory is its own: `verify-process.ts STORE KEY`.
 * Beside it the floor: the same bytes read by the same pages and given to SHA-256, nothing else.
 */
import { hash } from "node:crypto";
import { openReadOnlySqliteStore, verifyStore } from "@saferun/store";

const [directory = "", pinned = "", mode = "verify"] = process.argv.slice(2);
const store = openReadOnlySqliteStore({ directory });
const started = performance.now();
const entries = mode === "verify" ? await verified() : await hashed();
const seconds = (performance.now() - started) / 1_000;
await store.close();
process.stdout.write(JSON.stringify({ entries, seconds }));

async function verified(): Promise<number> {
  const result = await verifyStore(store, { pinned });
  if (result.status !== "verified") throw new Error(`the log is ${result.status}`);
  return result.size;
}

async function hashed(): Promise<number> {
  const { size } = await store.head();
  for (let from = 0; from < size; ) {
    const page = await store.entries({ from, limit: 1_000 });
    for (const { header, parts } of page) {
      hash("sha256", header, "buffer");
      for (const { bytes } of parts) if (bytes !== null) hash("sha256", bytes, "buffer");
    }
    from += page.length;
  }
  return size;
}
