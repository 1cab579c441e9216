/** The command under a Node that is too old for it, on a machine where the setup of the checkout has installed another. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const BIN = fileURLToPath(new URL("../bin/saferun.mjs", import.meta.url));

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "saferun-older-"));
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });";
  writeFileSync(join(home, "older.mjs"), older);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function saferun(args: readonly string[], input = "") {
  const older = ["--import", pathToFileURL(join(home, "older.mjs")).href];
  const env = { PATH: process.env.PATH, HOME: home, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
  const child = spawn(process.execPath, [...older, BIN, ...args], { cwd: home, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (output += piece));
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, output };
}

it("runs all the same, with its input and its exit code", async () => {
  expect(await saferun(["--version"])).toMatchObject({ code: 0 });
  expect(await saferun(["chekc"])).toEqual({ code: 2, output: expect.stringContaining("did you mean `check`?") });
  writeFileSync(join(home, "p.yaml"), "saferun: policy/v1\nenvironments: { prod: { unmatched: deny } }\n");
  const judged = await saferun(["eval", "-p", "p.yaml", "--calls", "-"], '{"tool":"refund","args":{}}\n');
  expect(judged).toEqual({ code: 0, output: expect.stringContaining('"verdict":"deny"') });
});
