/** The rules of the house hold for the repository, and each of them can fail. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../packages/core/src/index.ts";
import { REQUIREMENTS } from "../spec/requirements.ts";
import { malformedCitations, readCitations } from "./evidence.ts";
import {
  brokenLinks,
  documentedCodes,
  documentedDependencies,
  foreignWords,
  headings,
  installs,
  loosePins,
  type Manifest,
  MOST_LINES_OF_AGENTS,
  misnumbered,
  namelessFile,
  readFiles,
  registeredCommands,
  registeredOptions,
  tooLong,
  unfinished,
  unknownCommands,
  unknownOptions,
  unknownScripts,
} from "./house.ts";
import { ROOT } from "./steps.ts";

const FOLDERS = "{packages,apps,examples,bench,conformance,spec,scripts}";
const sources = readFiles(ROOT, [`${FOLDERS}/**/*.{ts,tsx,mjs,js}`, "*.{ts,mjs}"]);
const pages = readFiles(ROOT, ["*.md", "docs/**/*.md", `${FOLDERS}/**/*.md`]);
const policies = readFiles(ROOT, [`${FOLDERS}/**/*.{yaml,yml}`, "docs/**/*.{yaml,yml}"]);
const manifests = readFiles(ROOT, [
  "package.json",
  "{packages,apps,examples}/*/package.json",
  "{bench,conformance}/package.json",
]);
const manifestOf = (text: string): Manifest => JSON.parse(text) as Manifest;
const root = manifestOf(readFileSync(path.join(ROOT, "package.json"), "utf8"));

const fileOf = (text: string, file = "packages/core/src/x.ts") => ({ file, text });

describe("sources", () => {
  it("are seen", () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(pages.length).toBeGreaterThan(10);
    expect(manifests.length).toBeGreaterThan(5);
  });

  it("have at most 500 lines", () => {
    expect(tooLong(fileOf("x\n".repeat(501)))).toHaveLength(1);
    expect(tooLong(fileOf("x\n".repeat(500)))).toEqual([]);
    expect(sources.flatMap((source) => tooLong(source))).toEqual([]);
  });

  it("are named after what they hold", () => {
    expect(
      ["a/utils/x.ts", "helpers/x.ts", "a/common.ts", "a/util.test.ts"].flatMap((file) =>
        namelessFile(fileOf("", file)),
      ),
    ).toHaveLength(4);
    expect(namelessFile(fileOf("", "packages/core/src/commonality/x.ts"))).toEqual([]);
    expect(sources.flatMap(namelessFile)).toEqual([]);
  });

  it("leave nothing undone: no skipped or focused test, no note of work to do", () => {
    for (const word of ["skip", "only", "todo"]) expect(unfinished(fileOf(`it.${word}("x")`))).toHaveLength(1);
    expect(unfinished(fileOf(`// ${"TO"}${"DO"}: x`))).toHaveLength(1);
    expect(sources.flatMap(unfinished)).toEqual([]);
  });

  it("cite only promises that exist, in the form that is counted", () => {
    const known = new Set(REQUIREMENTS.map(({ id }) => id));
    expect(readCitations(ROOT).filter(({ id }) => !known.has(id))).toEqual([]);
    const tests = sources.filter(({ file }) => file.endsWith(".test.ts") && !file.startsWith("scripts/"));
    expect(tests.flatMap(({ file, text }) => malformedCitations(text).map((near) => `${file}: ${near}`))).toEqual([]);
  });
});

describe("every text", () => {
  it("says nothing of the machine or the tools it was written with", () => {
    for (const text of ["/Us" + "ers/ann", "as an AI" + " assistant", "generated " + "by an LLM"]) {
      expect(foreignWords(fileOf(text))).toHaveLength(1);
    }
    expect(foreignWords(fileOf('{ role: "assistant" } and the session of a web server'))).toEqual([]);
    const texts = [...sources, ...pages, ...policies, ...manifests];
    expect(texts.flatMap(foreignWords)).toEqual([]);
    const checkout = texts.filter(({ text }) => ROOT.split("/").length > 3 && text.includes(ROOT));
    expect(checkout.map(({ file }) => file)).toEqual([]);
  });
});

describe("documents", () => {
  it("AGENTS.md can be read in one go", () => {
    const agents = pages.find(({ file }) => file === "AGENTS.md") ?? fileOf("x\n".repeat(1000));
    expect(tooLong(agents, MOST_LINES_OF_AGENTS)).toEqual([]);
  });

  it("link only to what exists", () => {
    expect(brokenLinks(ROOT, fileOf("[x](nowhere.md) [y](#nothing) [z](package.json)", "README.md"))).toHaveLength(2);
    expect(headings("# One: `two` & 3\n```\n# no\n```\n## Four")).toEqual(["one-two--3", "four"]);
    expect(pages.flatMap((page) => brokenLinks(ROOT, page))).toEqual([]);
  });

  it("are in the index, each guide and each page to look something up in", () => {
    const guides = pages.map(({ file }) => /^docs\/([\w-]+\.md)$/.exec(file)?.[1]).filter((name) => name !== undefined);
    const index = readFileSync(path.join(ROOT, "docs/README.md"), "utf8");
    expect(guides.length).toBeGreaterThan(20);
    expect(guides.filter((name) => name !== "README.md" && !index.includes(`](${name})`))).toEqual([]);
  });

  it("of decisions have a number of their own", () => {
    const decision = (file: string, text: string) => fileOf(text, `docs/adr/${file}`);
    const [one, same, other] = [
      decision("0001-a.md", "# 0001: A"),
      decision("0001-b.md", "# 0001: B"),
      decision("0002-c.md", "# 0003: C"),
    ];
    expect(misnumbered([one, same, other])).toEqual(["docs/adr/0001-b.md", "docs/adr/0002-c.md"]);
    const decisions = pages.filter(({ file }) => file.startsWith("docs/adr/"));
    expect(decisions.length).toBeGreaterThan(10);
    expect(misnumbered(decisions)).toEqual([]);
  });

  it("name only scripts that exist", () => {
    expect(unknownScripts(fileOf("`npm run fly`, `npm start`"), { scripts: { start: "x" } })).toEqual([
      "packages/core/src/x.ts: there is no script `fly`",
    ]);
    expect(pages.flatMap((page) => unknownScripts(page, root))).toEqual([]);
  });

  it("name only commands that exist, and docs/cli.md all of them", () => {
    const cli = sources.filter(({ file }) => file.startsWith("packages/cli/src/commands/")).map(({ text }) => text);
    const commands = registeredCommands(cli);
    expect(unknownCommands(fileOf("`saferun fly`, `saferun check`"), ["check"])).toHaveLength(1);
    // The manifest and the tools speak of promises too, kept or not.
    const product = sources.filter(({ file }) => /^(packages|apps|examples)\//.test(file));
    expect([...pages, ...policies, ...product].flatMap((page) => unknownCommands(page, commands))).toEqual([]);
    const page = readFileSync(path.join(ROOT, "docs/cli.md"), "utf8");
    expect(commands.length).toBeGreaterThan(3);
    expect(commands.filter((name) => !page.includes(name))).toEqual([]);
  });

  it("name only options that some command takes", () => {
    const cli = sources.filter(({ file }) => file.startsWith("packages/cli/src/")).map(({ text }) => text);
    const options = [...registeredOptions(cli), "--json", "--help"];
    const page = fileOf("`saferun check --stirct`, `saferun check --strict --json`\n$ saferun dev --no-open\n`--fly`");
    expect(registeredOptions(['.option("-s, --strict", "x")', 'new Option("--no-open")'])).toEqual([
      "--strict",
      "--open",
    ]);
    expect(unknownOptions(page, ["--strict", "--json", "--open"])).toEqual([
      "packages/core/src/x.ts: no command of saferun takes `--stirct`",
    ]);
    expect(options.length).toBeGreaterThan(40);
    expect(pages.flatMap((one) => unknownOptions(one, options))).toEqual([]);
  });

  it("docs/errors.md has one section for each error code, and none for another", () => {
    const text = readFileSync(path.join(ROOT, "docs/errors.md"), "utf8");
    expect(documentedCodes("## `a.b`\n## c\n### `d.e`")).toEqual(["a.b", "d.e"]);
    expect([...documentedCodes(text)].sort()).toEqual([...ERROR_CODES].sort());
  });
});

describe("dependencies", () => {
  const used = manifests.flatMap(({ file, text }) =>
    installs(manifestOf(text)).map(([name, version]) => ({ file, name, version })),
  );
  const ours = new Set(manifests.map(({ text }) => manifestOf(text).name));

  it("are pinned to one version", () => {
    for (const version of ["^1.0.0", "latest", "1.x", "*", "workspace:*", "git+https://example.org/x"]) {
      expect(loosePins("package.json", { dependencies: { x: version } })).toHaveLength(1);
    }
    expect(manifests.flatMap(({ file, text }) => loosePins(file, manifestOf(text)))).toEqual([]);
  });

  it("have a line in docs/dependencies.md each, and no line is left over", () => {
    const documented = documentedDependencies(readFileSync(path.join(ROOT, "docs/dependencies.md"), "utf8"));
    const others = new Set(used.map(({ name }) => name).filter((name) => !ours.has(name)));
    expect([...others].filter((name) => !documented.includes(name))).toEqual([]);
    expect(documented.filter((name) => !others.has(name))).toEqual([]);
  });

  it("are none in the core", () => {
    const core = manifests.find(({ file }) => file === "packages/core/package.json");
    expect(Object.keys(manifestOf(core?.text ?? '{"dependencies":{"missing":"1"}}').dependencies ?? {})).toEqual([]);
  });
});
