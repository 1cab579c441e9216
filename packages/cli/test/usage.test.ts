/** What the command line says to somebody who mistypes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample } from "./sample.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

describe("a mistake on the command line", () => {
  it.each([
    [["chekc"], "unknown command `chekc`; did you mean `check`? `--help` shows what is possible"],
    [["check", "--jsno"], "unknown option `--jsno`; did you mean `--json`? `--help` shows what is possible"],
    [["diff", "a"], "missing required argument `after`; `--help` shows what is possible"],
    [
      ["runs", "-n", "x"],
      "`x` does not fit `-n, --limit <count>`: it is a number from 1 to 10000; `--help` shows what",
    ],
    [["check", "--format", "pdf"], "`pdf` does not fit `--format <format>`: "],
    [["che\u001b[2Jck"], "unknown command `che\\u{1b}[2Jck`"],
  ])("is told in one line: %j", async (args, message) => {
    const told = await saferun(place, args);
    expect(told).toMatchObject({ code: 2, stdout: "" });
    expect(told.stderr).toContain(`saferun: ${message}`);
    expect(told.stderr.trimEnd()).not.toContain("\n");
  });

  it("is told as data with `--json`", async () => {
    const told = await saferun(place, ["chekc", "--json"]);
    expect(JSON.parse(told.stderr)).toMatchObject({
      error: { code: "usage", message: expect.stringContaining("chekc") },
    });
  });

  it("in YAML is told in our words, not in those of its grammar", async () => {
    for (const [text, message] of [
      ["rules\nmore: 1\n", /^p\.yaml:1:1: error: this line has no `key: value`; end the key with `: `/],
      ["tools:\n  a: { kind: read }\n  mail\n", /^p\.yaml:3:\d+: error: a key without its value stands here/],
    ] as const) {
      writeFileSync(join(place.cwd, "p.yaml"), text);
      expect((await saferun(place, ["check", "p.yaml"])).stdout).toMatch(message);
    }
  });
});

describe("a part of an id", () => {
  it("is enough for a run and its calls, where only one is meant", async () => {
    const { gate, run, store, execute } = openSample(place.store);
    const ran = await gate.call(run, { tool: "orders.get", args: {} }, execute);
    await store.close();
    const [call = ""] = /call_\w+/.exec(JSON.stringify(ran)) ?? [];
    const where = ["--store", place.store];
    const start = `${run.id.slice(0, 14)}…`;
    expect((await saferun(place, ["runs", start, ...where])).stdout).toContain(run.id);
    const explained = ["explain", "--run", start, "--call-id", call.slice(-6), "-p", "p.yaml", ...where];
    writeFileSync(join(place.cwd, "p.yaml"), "saferun: policy/v1\nenvironments: { prod: { unmatched: deny } }\n");
    expect((await saferun(place, explained)).stdout).toContain("orders.get");
    for (const id of ["run_", "run_ffffffffff"]) {
      const told = await saferun(place, ["runs", id, ...where]);
      expect(told).toMatchObject({ code: 3, stderr: expect.stringContaining(`there is no run \`${id}\``) });
    }
  });
});
