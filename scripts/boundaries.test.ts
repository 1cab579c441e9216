/** The import rules are seen to work: each one is broken on purpose in a small tree, and the real tree is really read. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");

interface Report {
  readonly summary: {
    readonly totalCruised: number;
    readonly totalDependenciesCruised: number;
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly unknown[] }[];
}

function cruise(cwd: string, folders: readonly string[]): Report {
  const command = path.join(ROOT, "node_modules/.bin/depcruise");
  const config = path.join(cwd, ".dependency-cruiser.mjs");
  const result = spawnSync(process.execPath, [command, "--config", config, "--output-type", "json", ...folders], {
    cwd,
    encoding: "utf8",
    maxBuffer: 100_000_000,
  });
  if (result.stdout === "") throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Report;
}

/** File, text, the rule that must refuse it. The text breaks that rule in the form in which people really break it. */
const REFUSED: readonly (readonly [file: string, text: string, rule: string])[] = [
  ["packages/core/src/disk.ts", 'import { readFileSync } from "node:fs"; readFileSync("x");', "core-imports"],
  ["packages/core/src/type-only.ts", 'import type { Stats } from "node:fs"; export type S = Stats;', "core-imports"],
  ["packages/core/src/lazy.ts", 'export const load = () => import("yaml");', "core-imports"],
  ["packages/core/src/re-export.ts", 'export { door } from "../../store/src/index.ts";', "core-imports"],
  ["packages/core/src/policy/engine.ts", 'import { log } from "../log/tree.ts"; log();', "engines-apart"],
  ["packages/core/src/log/upwards.ts", 'import { gate } from "../gate.ts"; gate();', "engines-below-the-gate"],
  [
    "packages/core/src/policy/upwards.ts",
    'import { waiting } from "../gate/waiting.ts"; waiting();',
    "engines-below-the-gate",
  ],
  ["packages/core/src/own.test.ts", 'import { door } from "../../store/src/index.ts"; door();', "core-tests-stay-home"],
  ["packages/core/src/cycle-a.ts", 'import { b } from "./cycle-b.ts"; export const a = () => b();', "no-cycles"],
  ["packages/core/src/lost.ts", 'import { gone } from "./gone.ts"; gone();', "resolvable"],
  ["packages/core/src/uses-test.ts", 'import "./own.test.ts";', "sources-do-not-import-tests"],
  ["packages/document/src/disk.ts", 'import { readFileSync } from "node:fs"; readFileSync("x");', "document-imports"],
  ["packages/store/src/text.ts", 'import { parse } from "yaml"; parse("");', "yaml-lives-in-document"],
  ["packages/store/src/text.ts", 'import { parse } from "yaml"; parse("");', "store-imports"],
  ["packages/store/src/sqlite/store.ts", 'import { a } from "../memory/a.ts"; a();', "stores-apart"],
  ["packages/sdk/src/adapter.ts", 'import { generateText } from "ai"; generateText();', "sdk-imports"],
  ["packages/sdk/src/inside.ts", 'import { a } from "../../store/src/memory/a.ts"; a();', "front-door"],
  ["packages/sdk/src/cli.ts", 'import { main } from "../../cli/src/main.ts"; main();', "nobody-imports-cli"],
  ["packages/sdk/src/example.ts", 'import "../../../examples/story/demo.ts";', "nobody-imports-the-rim"],
  ["packages/channels/src/mail.ts", 'import { door } from "../../store/src/index.ts"; door();', "channels-imports"],
  ["packages/channels/src/slack/desk.ts", 'import { mail } from "../email/mail.ts"; mail();', "stores-apart"],
  ["packages/channels/src/text.ts", 'import { send } from "nodemailer"; send();', "email-driver"],
  ["packages/channels/src/chat.ts", 'import { post } from "@slack/web-api"; post();', "slack-driver"],
  ["packages/server/src/app.ts", 'import { sdk } from "../../sdk/src/index.ts"; sdk();', "server-apart"],
  ["packages/cli/src/page.ts", 'import "../../../apps/dashboard/src/page.ts";', "cli-not-dashboard"],
  [
    "apps/dashboard/src/store.ts",
    'import { door } from "../../../packages/store/src/index.ts"; door();',
    "dashboard-imports",
  ],
  [
    "apps/dashboard/src/app.ts",
    'import { app } from "../../../packages/server/src/app.ts"; app();',
    "dashboard-server-types",
  ],
  ["examples/story/inside.ts", 'import { a } from "../../packages/store/src/memory/a.ts"; a();', "examples-front-door"],
];

/** What the refused files point at, and files that break nothing. */
const AROUND: readonly (readonly [file: string, text: string])[] = [
  ["packages/core/src/good.ts", 'import type { Kind } from "./kind.ts"; export const good = (kind: Kind) => kind;'],
  ["packages/core/src/kind.ts", "export type Kind = string;"],
  ["packages/core/src/gate.ts", "export const gate = () => 1;"],
  ["packages/core/src/gate/waiting.ts", "export const waiting = () => 1;"],
  ["packages/core/src/log/tree.ts", "export const log = () => 1;"],
  ["packages/core/src/cycle-b.ts", 'import { a } from "./cycle-a.ts"; export const b = () => a();'],
  ["packages/store/src/index.ts", 'import { join } from "node:path"; export const door = () => join("a");'],
  ["packages/store/src/memory/a.ts", "export const a = () => 1;"],
  ["packages/channels/src/email/mail.ts", "export const mail = () => 1;"],
  ["packages/sdk/src/index.ts", 'import { door } from "../../store/src/index.ts"; export const sdk = () => door();'],
  ["packages/cli/src/main.ts", "export const main = () => 1;"],
  ["apps/dashboard/src/page.ts", "export const page = 1;"],
  ["examples/story/demo.ts", 'import { sdk } from "../../packages/sdk/src/index.ts"; sdk();'],
  ["node_modules/yaml/index.js", "export const parse = () => 1;"],
  ["packages/channels/src/email/send.ts", 'import { send } from "nodemailer"; send();'],
  ["packages/channels/src/slack/post.ts", 'import { post } from "@slack/web-api"; post();'],
  ["node_modules/nodemailer/index.js", "export const send = () => 1;"],
  ["node_modules/@slack/web-api/index.js", "export const post = () => 1;"],
  ["node_modules/ai/index.js", "export const generateText = () => 1;"],
];

describe("boundaries", () => {
  let tree = "";
  let report: Report;

  beforeAll(() => {
    tree = mkdtempSync(path.join(tmpdir(), "saferun-boundaries-"));
    for (const [file, text] of [...REFUSED, ...AROUND]) {
      mkdirSync(path.join(tree, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(tree, file), text);
    }
    for (const name of ["yaml", "ai", "nodemailer", "@slack/web-api"]) {
      writeFileSync(
        path.join(tree, "node_modules", name, "package.json"),
        JSON.stringify({ name, version: "1.0.0", type: "module", exports: "./index.js" }),
      );
    }
    for (const name of ["core", "document", "store", "sdk", "channels", "server", "cli"]) {
      writeFileSync(
        path.join(tree, "packages", name, "package.json"),
        JSON.stringify({
          name: `@saferun/${name}`,
          type: "module",
          exports: { ".": { "@saferun/source": "./src/index.ts" } },
        }),
      );
    }
    writeFileSync(
      path.join(tree, "package.json"),
      JSON.stringify({ private: true, dependencies: { yaml: "1.0.0", ai: "1.0.0" } }),
    );
    cpSync(path.join(ROOT, ".dependency-cruiser.mjs"), path.join(tree, ".dependency-cruiser.mjs"));
    symlinkSync(path.join(ROOT, "node_modules/@swc"), path.join(tree, "node_modules/@swc"));
    report = cruise(tree, ["packages", "apps", "examples"]);
  });

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it.each(REFUSED)("refuses %s: %s (%s)", (file, _text, rule) => {
    const broken = report.summary.violations
      .filter(({ from }) => from === file)
      .map((violation) => violation.rule.name);
    expect(broken).toContain(rule);
  });

  it("refuses nothing that the rules allow", () => {
    const allowed = new Set(AROUND.map(([file]) => file));
    // The far end of the cycle is as much a part of it as the near one.
    allowed.delete("packages/core/src/cycle-b.ts");
    expect(report.summary.violations.filter(({ from }) => allowed.has(from))).toEqual([]);
  });

  it("reads the real tree: every source is a module, and imports are seen in it", () => {
    const real = cruise(ROOT, ["packages"]);
    const sources = real.modules.filter(({ source }) => /^packages\/[^/]+\/src\/.*\.ts$/.test(source));
    expect(sources.length).toBeGreaterThanOrEqual(20);
    const core = real.modules.find(({ source }) => source === "packages/core/src/index.ts");
    expect(core?.dependencies.length).toBeGreaterThanOrEqual(10);
    expect(real.summary.totalDependenciesCruised).toBeGreaterThan(sources.length);
  });
});
