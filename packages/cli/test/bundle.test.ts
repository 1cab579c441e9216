import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { formatNoteKey, noteKey } from "@saferun/core";
import { createFileSigner, nodeClock, nodeHash, signingKeyPath } from "@saferun/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStyle } from "../src/output/style.ts";
import { runCommandLine } from "../src/program.ts";
import { openSample } from "./sample.ts";

let directory = "";
let run = "";
let key = "";
let text = "";

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "saferun-bundle-"));
  const store = join(directory, "store");
  const sample = openSample(store, nodeClock);
  run = sample.run.id;
  const other = sample.gate.openRun({ agent: "other", environment: "prod" });
  for (const [of, order] of [
    [sample.run, "17"],
    [other, "18"],
    [sample.run, "19"],
  ] as const) {
    await sample.gate.call(of, { tool: "orders.get", args: { order } }, () => ({ order }));
  }
  await sample.store.close();
  const { name, publicKey } = createFileSigner(signingKeyPath(store));
  key = formatNoteKey(noteKey(name, publicKey, nodeHash));
  expect((await saferun(["replay", run, "--store", "store", "--bundle", "run.bundle"])).exit).toBe(0);
  text = readFileSync(join(directory, "run.bundle"), "utf8");
  // It verifies without the store.
  rmSync(store, { recursive: true });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function saferun(args: readonly string[]) {
  const out: string[] = [];
  const style = createStyle(false);
  const print = (line: string) => void out.push(line);
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const io = {
    cwd: directory,
    ...streams,
    print,
    warn: print,
    progress: undefined,
    style,
    warnStyle: style,
    interactive: false,
    user: "tester",
  };
  const exit = await runCommandLine(args, io);
  return { exit, out: out.join("\n") };
}

async function verify(changed: string, ...more: string[]) {
  writeFileSync(join(directory, "changed.bundle"), changed);
  const { exit, out } = await saferun(["log", "verify", "changed.bundle", "--json", ...more]);
  return {
    exit,
    ...(JSON.parse(out) as { status: string; entries: number; faults: { fault: string; where: string }[] }),
  };
}

describe("the evidence of a run", () => {
  it("[R8] verifies offline by the key that its reader kept, and without one says that the signer is not proven", async () => {
    expect(await verify(text, "--pin", key)).toMatchObject({ exit: 0, status: "verified", entries: 9, faults: [] });
    expect(await verify(text)).toMatchObject({ exit: 0, status: "self-consistent" });
    const shown = await saferun(["log", "verify", "run.bundle", "--pin", key]);
    expect(shown.out).toContain(`verified: entries 0 to 8 of run ${run}`);
    const foreign = formatNoteKey(noteKey(key.split("+")[0] ?? "", new Uint8Array(32).fill(7), nodeHash));
    expect(await verify(text, "--pin", foreign)).toMatchObject({
      exit: 1,
      status: "faulty",
      faults: [{ fault: "bad-signature" }],
    });
  });

  it("[R8~] says what was changed, left out, taken from another run or cut off", async () => {
    const lines = text.split("\n");
    const faultsOf = async (changed: readonly string[]) => {
      const { status, exit, faults } = await verify(changed.join("\n"), "--pin", key);
      expect([status, exit]).toEqual(["faulty", 1]);
      return faults.map(({ fault, where }) => `${fault} ${where}`);
    };
    const counted = (changed: readonly string[], entries: number) => [
      ...changed.slice(0, -2),
      `{"end":{"entries":${entries}}}`,
      "",
    ];
    expect(await faultsOf(lines.map((line) => line.replace('\\"order\\":\\"17\\"', '\\"order\\":\\"71\\"')))).toContain(
      "changed arguments",
    );
    // An entry in the middle and its proof: the run's own numbers tell.
    expect(await faultsOf(counted(lines.toSpliced(5, 2), 8))).toContain("missing run");
    expect(await faultsOf(lines.map((line) => line.replace("call.proposed", "call.decided")))).toContain(
      "changed proof",
    );
    expect(await faultsOf(lines.slice(0, -4))).toEqual(["changed file"]);
    expect(await faultsOf(lines.map((line) => line.replaceAll(run, "run_other")))).toContain("changed proof");
    expect(await faultsOf(counted(lines.toSpliced(1, 2), 8))).toContain("missing run");
  });

  it("is one of no entry that anybody could have made up", async () => {
    for (const broken of ["", "{}", `${text.split("\n")[0]}\n`, text.replace(/"path":\[[^\]]*\]/, '"path":["x"]')]) {
      writeFileSync(join(directory, "broken.bundle"), broken);
      const { exit } = await saferun(["log", "verify", "broken.bundle", "--pin", key]);
      expect(exit).not.toBe(0);
    }
  });
});
