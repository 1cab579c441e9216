/**
 * Builds the dashboard where its sources changed since it was last built: `saferun dev` serves what stands in
 * `apps/dashboard/dist`. Prints nothing when all is well, and never to standard output: that belongs to what follows.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT, runStep } from "./steps.ts";

const DASHBOARD = path.join(ROOT, "apps", "dashboard");
const STAMP = path.join(DASHBOARD, "dist", ".sources");
/** The dashboard's own files, what it imports of the core and the server, and the versions of its packages. */
const SOURCES = [
  "apps/dashboard/{src,public}/**/*",
  "apps/dashboard/*.{html,json,ts}",
  "packages/{core,server}/src/**/*.ts",
  "package-lock.json",
];

const sources = digestOfSources();
if (!existsSync(STAMP) || readFileSync(STAMP, "utf8") !== sources) {
  const result = await runStep({ name: "dashboard", command: ["vite", "build", DASHBOARD, "--logLevel", "warn"] });
  if (result.ok) writeFileSync(STAMP, sources);
  else process.stderr.write(`the dashboard could not be built:\n${result.output}\n`);
  process.exitCode = result.ok ? 0 : 1;
}

function digestOfSources(): string {
  const files = globSync(SOURCES, { cwd: ROOT, withFileTypes: true })
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
