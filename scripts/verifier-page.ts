/** Builds the script of the page that verifies evidence: one file, without imports. Run it after a change of the verifier. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "vite";

const PAGE = path.resolve(import.meta.dirname, "../packages/cli/src/replay/page");
const VERIFIER = path.join(PAGE, "verifier.min.js");

async function verifierScript(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    root: PAGE,
    resolve: { conditions: ["@saferun/source", "module", "browser"] },
    build: {
      write: false,
      minify: true,
      lib: { entry: path.join(PAGE, "verify.js"), formats: ["iife"], name: "evidence" },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  const chunk = output !== undefined && "output" in output ? output.output[0] : undefined;
  if (chunk === undefined) throw new Error("the page's script was not built");
  // A script in a page ends at the first such text.
  return `${chunk.code.replaceAll("</", "<\\/").trim()}\n`;
}

writeFileSync(VERIFIER, await verifierScript());
