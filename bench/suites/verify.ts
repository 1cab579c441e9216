import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { median } from "../measure.ts";
import { ENTRIES } from "../options.ts";
import { atLeast, atMost, type Report, row } from "../report.ts";
import { REPORTING, type Used, usedIn } from "./used.ts";
import { makeLog } from "./verify-log.ts";

const PROCESS = path.join(import.meta.dirname, "verify-process.ts");
const MILLION = 1_000_000;
/** As the command `saferun log verify` sets them. */
const SPARING = ["--semi-space-growth-factor=1", "--heap-growing-percent=25"];

interface Measured extends Used {
  readonly entries: number;
  readonly seconds: number;
}

/** The whole log verified offline, and beside it what reading and hashing the same bytes takes. */
export async function verifications(): Promise<Report> {
  const directory = mkdtempSync(path.join(import.meta.dirname, ".verify-"));
  try {
    const key = await makeLog(directory, ENTRIES);
    const [verify, hash] = [measured(directory, key, "verify"), measured(directory, key, "hash")];
    const rate = median(verify.map(({ entries, seconds }) => entries / seconds));
    const raw = median(hash.map(({ entries, seconds }) => entries / seconds));
    return {
      suite: "verify",
      how: `a log of ${ENTRIES} entries (calls of four entries, three parts), each time a process of its own; medians of 3`,
      rows: [
        row("entries verified a second", rate, "1/s", atLeast(MILLION / 30)),
        row("the same entries read and hashed once, nothing checked", raw, "1/s"),
        row("what verifying takes of that", raw / rate, "×"),
        row(
          "entries verified per second of processor time, whatever else the machine does",
          median(verify.map(({ entries, cpuSeconds }) => entries / cpuSeconds)),
          "1/s",
        ),
        row("1,000,000 entries at that rate", MILLION / rate, "s", atMost(30)),
        row("peak memory of the process", median(verify.map(({ megabytes }) => megabytes)), "MB", atMost(300)),
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function measured(directory: string, key: string, mode: "verify" | "hash"): Measured[] {
  return [1, 2, 3].map(() => {
    const command = [
      "--conditions=@saferun/source",
      "--disable-warning=ExperimentalWarning",
      ...SPARING,
      `--import=${REPORTING}`,
      PROCESS,
    ];
    const { stdout, stderr } = spawnSync(process.execPath, [...command, directory, key, mode], { encoding: "utf8" });
    if (stdout === "") throw new Error(stderr);
    return { ...(JSON.parse(stdout) as Omit<Measured, keyof Used>), ...usedIn(stderr) };
  });
}
