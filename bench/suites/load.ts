import { spawnSync } from "node:child_process";
import path from "node:path";
import { median } from "../measure.ts";
import { atMost, type Report, row } from "../report.ts";
import { reloads } from "./reload.ts";

const PROCESS = path.join(import.meta.dirname, "load-process.ts");
const TIMES = 5;

/** What one process measured: milliseconds, and MiB held. */
interface Loaded {
  readonly parse: number;
  readonly check: number;
  readonly analysis: number;
  readonly findings: number;
  readonly total: number;
  /** Of the loading thread on a processor. */
  readonly thread: number;
  readonly again: number;
  readonly held: number;
}

/** What a start and an edit cost. The floors are those of a set without faults; one with thousands stands beside it. */
export async function loading(): Promise<Report> {
  const clean = inProcesses("faultless");
  const faulty = inProcesses("faulty");
  const edits = await reloads(TIMES);
  return {
    suite: "load",
    how: `10,000 rules over 1,000 tools, from YAML text, each time the first in a process of its own; medians of ${TIMES}`,
    rows: [
      row("parse", clean("parse"), "ms"),
      row("check and compile", clean("check"), "ms"),
      row("analyse", clean("analysis"), "ms"),
      row("load, check and analyse 10,000 rules", clean("total"), "ms", atMost(1_000)),
      row("of that, the thread on a processor", clean("thread"), "ms"),
      row("the same again, as after an edit", clean("again"), "ms"),
      row(`10,000 rules with ${faulty("findings")} findings, an example each`, faulty("total"), "ms"),
      row("heap that stays, after one decision of each tool", clean("held"), "MB", atMost(30)),
      row("edit of a file of 10,000 rules → in force", median(edits), "ms", atMost(1_000)),
    ],
  };
}

function inProcesses(kind: "faultless" | "faulty"): (what: keyof Loaded) => number {
  const all = Array.from({ length: TIMES }, () => inProcess(kind));
  return (what) => median(all.map((loaded) => loaded[what]));
}

function inProcess(kind: string): Loaded {
  const command = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning", PROCESS, kind];
  const { stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Loaded;
}
