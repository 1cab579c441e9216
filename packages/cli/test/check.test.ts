import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeStamp } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { POLICY } from "./sample.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const BROKEN = POLICY.replace("environments:", "enviroments:").replace("args.amount > 5000", "args.amount >> 5000");

describe("saferun check", () => {
  it("prints nothing of a file or its name that a terminal would obey or hide (trap 27)", async () => {
    const hostile = `saferun: policy/v1\nrules:\n  - { id: "a\\u202eb", tool: "x\\u200b\\e[2J", then: allow }\n`;
    writeFileSync(join(place.cwd, "a\u001b[2J\u202e.yaml"), hostile);
    for (const args of [
      ["check", "."],
      ["check", ".", "--json"],
      ["\u001b[2J\u202e"],
      ["log", "verify", "--pin", "\u009b"],
    ]) {
      const { code, stdout, stderr } = await saferun(place, args);
      expect(code).toBeGreaterThan(0);
      expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    }
    const judged = await saferun(place, ["eval", "--policies", ".", "--calls", "-"]);
    expect(judged.code).toBe(3);
    expect(judged.stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });

  it("accepts good policies, found where they usually lie", async () => {
    mkdirSync(join(place.cwd, "policies"));
    writeFileSync(join(place.cwd, "policies", "support.yaml"), POLICY);
    const result = await saferun(place, ["check", "--json"]);
    expect(result.json()).toEqual({
      ok: true,
      files: [join("policies", "support.yaml")],
      revision: expect.stringMatching(/^[0-9a-f]{64}$/),
      runtime: { ...nodeStamp, reads: [] },
      issues: [],
    });
    expect(result.code).toBe(0);
    expect(result.stderr).toBe("");
  });

  it("[P1~] reports the issues of all files in one run, each with place, line and caret", async () => {
    writeFileSync(join(place.cwd, "one.yaml"), BROKEN);
    writeFileSync(join(place.cwd, "two.yaml"), "saferun: policy/v1\nrules:\n  - id: x\n    tool: t\n    tehn: allow\n");
    const text = await saferun(place, ["check", "one.yaml", "two.yaml"]);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain("one.yaml:2:1: error: unknown key `enviroments`");
    expect(text.stdout).toMatch(/two\.yaml:5:5: error: unknown key `tehn`[^\n]*\n {4} {4}tehn: allow\n {8}\^/);
    expect(text.stdout).toMatch(/not usable: 2 files, \d+ errors/);
    const json = (await saferun(place, ["check", "one.yaml", "two.yaml", "--json"])).json();
    expect(json.ok).toBe(false);
    expect(json.issues).toContainEqual(
      expect.objectContaining({
        code: "unknown-key",
        severity: "error",
        file: "two.yaml",
        line: 5,
        column: 5,
        suggestion: "then",
      }),
    );
  });

  it("[P1~] says which tools do not exist, when it is told which do", async () => {
    writeFileSync(join(place.cwd, "policies.yaml"), POLICY.replace("tool: mail.send", "tool: calendar.ad"));
    const result = await saferun(place, ["check", "--tools", "calendar.add,calendar.list"]);
    expect(result.stdout).toContain("`calendar.ad`");
    expect(result.stdout).toContain("`calendar.add`");
    expect(result.code).toBe(1);
  });

  it("says what to do without any file, and without the file that was named", async () => {
    const none = await saferun(place, ["check"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("write `policies.yaml`");
    const wrong = await saferun(place, ["check", "polices.yaml", "--json"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(JSON.parse(wrong.stderr)).toEqual({
      error: { code: "usage", message: "no policy file matches `polices.yaml`" },
    });
  });
});

describe("saferun", () => {
  it.each([
    [["--help"], 0],
    [["check", "--help"], 0],
    [["approvals", "approve", "--help"], 0],
    [["--version"], 0],
    [[], 2],
    [["chekc"], 2],
    [["check", "--nope"], 2],
    [["eval"], 2],
  ])("ends %j with %i", async (args, code) => {
    const result = await saferun(place, args);
    expect(result.code).toBe(code);
    expect(code === 0 ? result.stdout : result.stderr).not.toBe("");
    expect(result.stdout + result.stderr).not.toContain("\u001b");
  });

  it("shows an example in the help of every command", async () => {
    for (const command of ["check", "eval", "dev", "approvals", "runs", "log"]) {
      const { stdout } = await saferun(place, ["help", command]);
      expect(stdout).toMatch(new RegExp(`\\$ .*saferun ${command}`));
      expect(stdout).toContain("--json");
      expect(stdout).toContain("--no-color");
    }
  });
});
