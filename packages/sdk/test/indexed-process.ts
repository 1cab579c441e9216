/**
 * Wraps a tool, calls it as often as it is told, stays until the index has had time to begin, and ends in the way named:
 * `node indexed-process.ts DIRECTORY CALLS none|shutdown|exit [STAY_MS]`. The calls that ran are the lines it prints.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { saferun } from "../src/index.ts";

const [directory = "", calls = "0", end = "none", stayMs = "0"] = process.argv.slice(2);
const options = {
  policies: [join(directory, "p.yaml")],
  store: join(directory, "store"),
  environment: "prod",
} as const;
const note = ({ text }: { readonly text: string }): string => {
  console.log(text);
  return text;
};
const tools = saferun.tools({ note }, options);
const within = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
for (let number = 0; number < Number(calls); number++) await tools.note({ text: `lavender${number}` });
await within(Number(stayMs));
// However busy the machine is: the index has begun.
while (Number(stayMs) > 0 && !existsSync(join(directory, "store", "search.db"))) await within(50);
// Once more: with the index beside it, and whatever is wrong with that.
if (Number(stayMs) > 0) await tools.note({ text: "afterwards" });
if (end === "shutdown") await saferun.shutdown();
if (end === "exit") process.exit(0);
