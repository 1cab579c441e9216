import { openSearch } from "@saferun/store";
import { rmSync, statSync } from "node:fs";
const dir = process.argv[2] + "/s";
if (process.argv[3] === "fresh") for (const x of ["", "-wal", "-shm"]) rmSync(dir + "/search.db" + x, { force: true });
const c0 = process.cpuUsage(); let t = performance.now();
const s = await openSearch({ directory: dir });
const c = process.cpuUsage(c0);
console.log("open", (performance.now() - t).toFixed(0), "ms wall", (c.user / 1000).toFixed(0), "user", (c.system / 1000).toFixed(0), "sys");
console.log("search.db", (statSync(dir + "/search.db").size / 1e6).toFixed(0), "MB");
const queries = ["tool:stripe.* verdict:deny args.amount>50000 \"duplicate charge\"", "args.customer.id:c_777", "args.amount>99990", "T31", "T3100", "bern", "\"order 1234\"", "verdict:deny agent:support", "run:run_000000000010", "outcome:failed", "agent:sal* tool:mail.send -verdict:allow", "nosuchword", "stripe.refund duplicate bern", "args.currency:usd"];
for (const q of queries) {
  const times: number[] = [];
  let a: any;
  for (let i = 0; i < 7; i++) { const t = performance.now(); a = s.search({ query: q, limit: 50, now: Date.now() }); times.push(performance.now() - t); }
  times.sort((x, y) => x - y);
  console.log(q.padEnd(60), a.items.length, a.cut, times[0]!.toFixed(1), times[3]!.toFixed(1), times[6]!.toFixed(1));
}
