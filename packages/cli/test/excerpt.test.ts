import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { createFileSigner, nodeClock, signingKeyPath } from "@saferun/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStyle } from "../src/output/style.ts";
import { runCommandLine } from "../src/program.ts";
import { openSample } from "./sample.ts";

let directory = "";
let run = "";
let text = "";
let count = 0;
const key = (store = "store") => createFileSigner(signingKeyPath(join(directory, store))).vkey;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "saferun-excerpt-"));
  const sample = openSample(join(directory, "store"), nodeClock);
  run = sample.run.id;
  for (const order of ["17", "18"]) {
    await sample.gate.call(sample.run, { tool: "orders.get", args: { order } }, () => ({ order }));
    await sample.gate.call(sample.run, { tool: "shell.exec", args: { cmd: order } }, () => ({ order }));
  }
  await sample.store.close();
  text = await exported("store", "--query", "verdict:deny");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function saferun(args: readonly string[]) {
  const [out, warned]: [string[], string[]] = [[], []];
  const style = createStyle(false);
  const io = {
    cwd: directory,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    print: (line: string) => void out.push(line),
    warn: (line: string) => void warned.push(line),
    progress: undefined,
    style,
    warnStyle: style,
    interactive: false,
    user: "tester",
  };
  const exit = await runCommandLine(args, io);
  return { exit, out: out.join("\n"), warned: warned.join("\n") };
}

async function exported(store: string, ...args: string[]): Promise<string> {
  const file = join(directory, `export-${count++}`);
  const { exit, warned } = await saferun(["log", "export", "--store", store, "--out", file, ...args]);
  expect([exit, warned]).toEqual([0, expect.stringContaining("entries written")]);
  return readFileSync(file, "utf8");
}

async function verified(lines: string, ...more: string[]) {
  const file = join(directory, `verified-${count++}`);
  writeFileSync(file, lines);
  const { exit, out } = await saferun(["log", "verify", "--export", file, ...more]);
  return { exit, out };
}

const kinds = (lines: string) =>
  lines
    .trim()
    .split("\n")
    .map((line) => Object.keys(JSON.parse(line) as object)[0]);

describe("an excerpt of the log", () => {
  it("[L5~] holds what a search finds, each entry with the proof that it is in the signed log", async () => {
    expect(kinds(text).slice(0, 3)).toEqual(["saferun", "seq", "proof"]);
    expect(kinds(text).at(-1)).toBe("end");
    const { exit, out } = await verified(text, "--pin", key());
    expect(exit).toBe(0);
    expect(out).toMatch(
      /^verified: each of \d entries \(verdict:deny\) is in the log of \d+ entries that key saferun.local/,
    );
    expect(out).toContain("nothing is shown about entries that were left out of it");
    expect((await verified(text)).out).toMatch(/^self-consistent, signer not proven/);
  });

  it("[L3~] that was changed is faulty, and says where", async () => {
    const lines = text.split("\n");
    for (const [changed, fault] of [
      [lines.slice(0, -2), "truncated (end)"],
      [lines.with(2, lines[4] ?? ""), "reordered (proof)"],
      [lines.map((line) => line.replace("shell.exec", "shell.exed")), "changed (proof)"],
      [lines.map((line) => line.replace('\\"cmd\\":\\"17', '\\"cmd\\":\\"71')), "changed (arguments)"],
      [lines.map((line) => line.replace(/,"note":"[^"]*"/, "")), "missing (checkpoint)"],
    ] as const) {
      const { exit, out } = await verified(changed.join("\n"), "--pin", key());
      expect([exit, out]).toEqual([1, expect.stringContaining(fault)]);
    }
  });

  it("that was cut off between an entry and its proof goes on to the same file, though the log has grown", async () => {
    const file = join(directory, "cut");
    const [head = "", entry = ""] = text.split("\n");
    writeFileSync(file, `${head}\n${entry}\n`);
    writeFileSync(`${file}.resume`, JSON.stringify({ format: "jsonl", unsealed: false, now: Date.now(), head }));
    const args = ["log", "export", "--store", "store", "--query", "verdict:deny", "--out", file, "--resume"];
    expect(await saferun(args)).toMatchObject({ exit: 0 });
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("is not made of a log that is not what was signed", async () => {
    cpSync(join(directory, "store"), join(directory, "changed"), { recursive: true });
    const db = new DatabaseSync(join(directory, "changed", "log.db"));
    db.prepare("UPDATE entries SET leaf = zeroblob(32) WHERE seq = 1").run();
    db.close();
    const { exit, warned } = await saferun(["log", "export", "--store", "changed", "--query", "verdict:deny"]);
    expect(exit).not.toBe(0);
    expect(warned).toContain("the log is not the one");
  });

  it("as CSV carries no proofs, and says so", async () => {
    const file = join(directory, "log.csv");
    const { warned } = await saferun(["log", "export", "--store", "store", "--format", "csv", "--out", file]);
    expect(warned).toContain("without proofs");
  });

  // Last: the account keeps the head of the log that has the new key, not of the copy.
  it("and the evidence of a run follow a changed key, from either", async () => {
    cpSync(join(directory, "store"), join(directory, "rotated"), { recursive: true });
    const old = key("rotated");
    expect((await saferun(["log", "rotate-key", "--store", "rotated"])).exit).toBe(0);
    const after = await exported("rotated", "--query", "verdict:deny");
    expect((await saferun(["replay", run, "--store", "rotated", "--bundle", "evidence"])).exit).toBe(0);
    for (const pin of [old, key("rotated")]) {
      expect((await verified(after, "--pin", pin)).out).toMatch(/^verified/);
      expect((await saferun(["log", "verify", "evidence", "--pin", pin])).out).toMatch(/^verified/);
    }
    // Without the note that leads from the one key to the other.
    const alone = await verified(after.replace(/,"rotations":\[[^\]]*\]/, ""), "--pin", old);
    expect(alone).toMatchObject({ exit: 1, out: expect.stringContaining("bad-signature") });
  });
});
