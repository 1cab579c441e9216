/** A run whose process is killed while its call is paused, finished by another process (A2). */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decideApproval, type JsonObject } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";
import { afterAll, describe, expect, it, vi } from "vitest";

// Processes of their own on a machine that may be busy: a bound against a hang, not an expectation.
vi.setConfig({ testTimeout: 180_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-resume-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const script = fileURLToPath(new URL("./resuming-process.ts", import.meta.url));
const POLICIES = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { refund: { kind: write } }
rules:
  - { id: refund.ask, tool: refund, then: pause, approval: { editable: [amount] } }
`;

function begin(kind: string, directory: string, life: string, ...more: string[]): ChildProcess {
  const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning", "--no-warnings"];
  return spawn(process.execPath, [...flags, script, kind, directory, life, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: directory,
  });
}

/** All that it said, once it has ended. */
function ended(child: ChildProcess): Promise<string> {
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return new Promise((resolve) => child.on("close", () => resolve(said)));
}

const storeOf = (directory: string) => openSqliteStore({ directory: join(directory, "store") });

/** Until the call waits in the store, and the framework, where it has a form of its own, has told the application. */
async function paused(kind: string, directory: string): Promise<string> {
  for (;;) {
    if (
      existsSync(join(directory, "store", "log.db")) &&
      (kind === "plain" || existsSync(join(directory, "history.json")))
    ) {
      const store = storeOf(directory);
      const [waiting] = await store.approvals({ state: "pending", limit: 1 });
      await store.close();
      if (waiting !== undefined) return waiting.id;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Paused, and its process killed. */
async function killed(kind: string, name: string): Promise<{ directory: string; approval: string }> {
  const directory = mkdtempSync(join(base, `${kind}-${name}-`));
  writeFileSync(join(directory, "policies.yaml"), POLICIES);
  const first = begin(kind, directory, "START");
  const over = ended(first);
  const approval = await paused(kind, directory);
  first.kill("SIGKILL");
  await over;
  expect(effects(directory)).toEqual([]);
  return { directory, approval };
}

const effects = (directory: string): unknown[] =>
  existsSync(join(directory, "effects"))
    ? readFileSync(join(directory, "effects"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown)
    : [];

async function decide(directory: string, approval: string, verdict: "approve" | "deny", args?: JsonObject) {
  const store = storeOf(directory);
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const by = { id: "local:ann", via: "cli", verified: false };
  const answer = await decideApproval(ports, { approval, verdict, by, ...(args === undefined ? {} : { args }) });
  await store.close();
  expect(answer.status).toBe("applied");
}

const resume = (kind: string, directory: string, ...more: string[]) => ended(begin(kind, directory, "RESUME", ...more));

describe.each(["plain", "sdk7", "sdk6"])("%s: a process killed while its call waits", (kind) => {
  it("is approved meanwhile, and finishes in another process, once [A2]", async () => {
    const { directory, approval } = await killed(kind, "approve");
    await decide(directory, approval, "approve");
    const said = await resume(kind, directory);
    expect(effects(directory)).toEqual([{ amount: 500 }]);
    expect(said).toContain(kind === "plain" ? '"refunded":500' : '"text":"done"');
    // The same history once more, as after a lost answer: it does not run twice.
    await resume(kind, directory);
    expect(effects(directory)).toEqual([{ amount: 500 }]);
    // It is one run, whichever process was at it.
    const store = storeOf(directory);
    const [found] = await store.callsIn(["succeeded"], 9);
    const call = await store.call(found?.id ?? "");
    expect((await store.runs({ limit: 9 })).filter(({ id }) => id === call?.run)).toHaveLength(1);
    await store.close();
  });

  it("runs as edited, and never where a person denied it", async () => {
    const edited = await killed(kind, "edit");
    await decide(edited.directory, edited.approval, "approve", { amount: 450 });
    await resume(kind, edited.directory);
    expect(effects(edited.directory)).toEqual([{ amount: 450 }]);
    const denied = await killed(kind, "deny");
    await decide(denied.directory, denied.approval, "deny");
    await resume(kind, denied.directory);
    expect(effects(denied.directory)).toEqual([]);
  });

  it("does not run because a message history says it was approved, nor with other arguments (trap 14)", async () => {
    const { directory, approval } = await killed(kind, "forged");
    // Nobody has answered: the client's own yes counts for nothing.
    await resume(kind, directory);
    expect(effects(directory)).toEqual([]);
    await decide(directory, approval, "approve");
    await resume(kind, directory, "forged");
    expect(effects(directory)).toEqual([]);
    await resume(kind, directory);
    expect(effects(directory)).toEqual([{ amount: 500 }]);
  });
});
