/**
 * Builds what browsers get, where its sources changed since it was last built: the dashboard that `saferun dev` serves, and
 * the script of the page that verifies evidence. Prints nothing when all is well, and never to standard output: that
 * belongs to what follows.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT, runStep } from "./steps.ts";

interface Page {
  readonly name: string;
  /** Its own files, and what it imports of other packages; the versions of npm packages stand in the lock file. */
  readonly sources: readonly string[];
  /** Holds the digest of the sources that it was built from. */
  readonly stamp: string;
  build(): Promise<string | undefined>;
}

const DASHBOARD = path.join(ROOT, "apps", "dashboard");
const EVIDENCE = path.join(ROOT, "packages", "cli", "src", "replay", "page");
const EVIDENCE_SCRIPT = path.join(ROOT, "packages", "cli", "dist", "verifier.js");

const PAGES: readonly Page[] = [
  {
    name: "the dashboard",
    sources: [
      "apps/dashboard/{src,public}/**/*",
      "apps/dashboard/*.{html,json,ts}",
      "packages/{core,server}/src/**/*.ts",
      "package-lock.json",
    ],
    stamp: path.join(DASHBOARD, "dist", ".sources"),
    async build() {
      const result = await runStep({ name: "dashboard", command: ["vite", "build", DASHBOARD, "--logLevel", "warn"] });
      return result.ok ? undefined : result.output;
    },
  },
  {
    name: "the page that verifies evidence",
    sources: ["packages/cli/src/replay/page/*", "packages/core/src/**/*.ts", "package-lock.json"],
    stamp: `${EVIDENCE_SCRIPT}.sources`,
    build: buildVerifier,
  },
];

for (const page of PAGES) {
  const sources = digestOf(page.sources);
  if (existsSync(page.stamp) && readFileSync(page.stamp, "utf8") === sources) continue;
  const problem = await page.build();
  if (problem === undefined) writeFileSync(page.stamp, sources);
  else {
    process.stderr.write(`${page.name} could not be built:\n${problem}\n`);
    process.exitCode = 1;
  }
}

function digestOf(patterns: readonly string[]): string {
  const files = globSync(patterns, { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes(".test."))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${path.relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

/** One file without imports: it stands in the page itself. */
async function buildVerifier(): Promise<string | undefined> {
  const { build } = await import("vite");
  const built = await build({
    configFile: false,
    logLevel: "silent",
    root: EVIDENCE,
    resolve: { conditions: ["@saferun/source", "module", "browser"] },
    build: {
      write: false,
      minify: true,
      lib: { entry: path.join(EVIDENCE, "verify.js"), formats: ["iife"], name: "evidence" },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  const chunk = output !== undefined && "output" in output ? output.output[0] : undefined;
  if (chunk === undefined) return "the script of the page was not built";
  mkdirSync(path.dirname(EVIDENCE_SCRIPT), { recursive: true });
  // A script in a page ends at the first such text.
  writeFileSync(EVIDENCE_SCRIPT, `${chunk.code.replaceAll("</", "<\\/").trim()}\n`);
  return undefined;
}
