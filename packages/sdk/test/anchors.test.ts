import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { notesOfAnchor } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { saferun } from "../src/index.ts";

const POLICIES = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { send: { kind: write } }
rules: [{ id: all, tool: send, then: allow }]
`;

const home = process.cwd();
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-anchored-"));
  mkdirSync(join(directory, "project"), { mode: 0o700 });
  process.chdir(join(directory, "project"));
  process.env.SAFERUN_STATE_DIR = join(directory, "state");
  process.env.SAFERUN_ENV = "prod";
  writeFileSync("policies.yaml", POLICIES);
});
afterEach(async () => {
  delete process.env.SAFERUN_ANCHORS;
  await saferun.shutdown();
  process.chdir(home);
  rmSync(directory, { recursive: true, force: true });
});

describe("SAFERUN_ANCHORS (trap 4)", () => {
  const wrapped = () =>
    saferun.wrap({ tools: { send: { execute: async (_: object) => "sent" } } }, { policies: ["./policies.yaml"] });

  it("sends the checkpoints of a wrapped agent where it says", async () => {
    const anchor = join(directory, "anchor");
    process.env.SAFERUN_ANCHORS = `file://${anchor}`;
    await wrapped().tools.send.execute({});
    await saferun.shutdown();
    expect(notesOfAnchor(readFileSync(anchor, "utf8"))?.length).toBeGreaterThan(0);
  });

  it("lets nothing run when it cannot be read", () => {
    process.env.SAFERUN_ANCHORS = "ftp://nowhere";
    expect(wrapped).toThrow(expect.objectContaining({ code: "option.invalid" }));
  });
});
