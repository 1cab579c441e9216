import { mkdtempSync, rmSync, statSync } from "node:fs";
import { openSqliteStore, startSearchIndex, openSearch } from "@saferun/store";
import { load } from "/tmp/F-wt/bench/suites/record-load.ts";
const n = Number(process.argv[2]); const withIndex = process.argv[3] !== "no";
const dir = mkdtempSync("/tmp/F-wt/bench/suites/.store-F-");
const store = openSqliteStore({ directory: dir + "/s" });
const index = withIndex ? startSearchIndex({ directory: dir + "/s", declarations: { index: ["amount", "customer.id"] }, onError: console.error }) : null;
let t = performance.now();
const { rates } = await load(store, n);
console.log("load", ((performance.now() - t) / 1000).toFixed(1), "s", rates.map((r) => Math.round(r)).join(" "));
t = performance.now();
if (index) {
  let p = await index.position(); console.log(p);
  while (p.indexed < p.size) { await new Promise((r) => setTimeout(r, 50)); p = await index.position(); }
  console.log("caught up", ((performance.now() - t) / 1000).toFixed(2), "s");
  for (const f of ["log.db", "log.db-wal", "search.db", "search.db-wal"]) console.log(f, (statSync(dir + "/s/" + f).size / 1e6).toFixed(0), "MB");
  await index.close();
  console.log(dir);
} 
await store.close();
if (!process.argv.includes("keep")) rmSync(dir, { recursive: true });
