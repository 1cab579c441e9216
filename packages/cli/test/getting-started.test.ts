/** docs/getting-started.md as somebody follows it: a folder beside the clone, its lines typed as they stand there. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

vi.setConfig({ testTimeout: 240_000 });

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(join(ROOT, "docs/getting-started.md"), "utf8");
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text = ""]) => text);

const [setUp = "", checks = "", start = "", answers = "", ...others] = blocks("sh");
const [, , agent = ""] = blocks("ts");
const [policy = ""] = blocks("yaml");

let parent: string;
let project: string;
let running: ChildProcess | undefined;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), "saferun-first-"));
  project = join(parent, "my-agent");
  symlinkSync(ROOT, join(parent, "saferun"));
});
afterAll(() => {
  running?.kill();
  rmSync(parent, { recursive: true, force: true });
});

const variables = () => ({
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  HOME: parent,
  SAFERUN_STATE_DIR: join(parent, "state"),
  // What the page installs lies beside it: no registry is asked.
  npm_config_offline: "true",
  npm_config_update_notifier: "false",
});

function sh(script: string, cwd: string) {
  return spawnSync("sh", ["-ec", script], { cwd, env: variables(), encoding: "utf8" });
}

it("[G1~] takes a newcomer from a clone to a refund that waits, is edited by a person, and runs once", async () => {
  expect(others).toEqual([]);
  expect(sh(setUp, parent)).toMatchObject({ status: 0 });
  writeFileSync(join(project, "policies.yaml"), policy);
  writeFileSync(join(project, "agent.ts"), agent);

  const checked = sh(checks, project);
  expect(checked).toMatchObject({ status: 0, stderr: "" });
  expect(checked.stdout).toContain("usable: 1 file, 0 errors, 0 warnings");
  expect(checked.stdout).toContain("0 passed, 0 failed; no file has `tests`");
  expect(checked.stdout).toContain('{"verdict":"pause","by":["refund.small"]');
  expect(checked.stdout).toContain("args.amount <= 10000  false");

  const child = spawn("sh", ["-ec", `exec ${start}`], { cwd: project, env: variables() });
  running = child;
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += piece));
  while (!/waits: appr_\w+\n/.test(said) && child.exitCode === null) await once(child.stdout, "data");
  expect(said).toContain("{ id: '17', total: 450000 }\n{ refunded: 4999 }\nwaits: ");

  const [, id = ""] = /waits: (appr_\w+)/.exec(said) ?? [];
  const looked = sh(answers, project);
  expect(looked).toMatchObject({ status: 0, stderr: "" });
  expect(looked.stdout).toContain(`appr_…${id.slice(-6)}`);
  expect(looked.stdout).toContain("self-consistent, signer not proven: no fault in 16 entries");
  const line = /approvals (approve) ID (--set \S+)`/.exec(answers)?.slice(1).join(` ${id} `);
  expect(sh(`npx saferun approvals ${line}`, project)).toMatchObject({ status: 0, stderr: "" });
  await once(child, "close");
  expect(said).toMatch(/refunded: 4500,[\s\S]*edited: true/);
  expect(said.match(/refunded: 4500\b/g)).toHaveLength(1);
});
