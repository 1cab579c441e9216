import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("./no-code-generation-process.ts", import.meta.url));
const FLAGS = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];

/** What the process says when it is started with these flags as well. */
function started(...flags: string[]): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...FLAGS, ...flags, SCRIPT], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const DONE = {
  decisions: {
    small: "allow by refund",
    large: "pause by refund",
    fraud: "deny by fraud",
    misfit: "deny by schema:refund",
  },
  gate: ["ran", "denied"],
  log: { status: "self-consistent", empty: false, faults: [] },
};

describe("where the runtime makes no code of texts, as on Workers and under a strict content policy", () => {
  it("policies load and decide, and a log is kept and verified", () => {
    expect(started("--disallow-code-generation-from-strings")).toEqual({ generates: false, ...DONE });
  });

  it("is a state that the process can see: without the flag it makes code, and decides the same", () => {
    expect(started()).toEqual({ generates: true, ...DONE });
  });
});
