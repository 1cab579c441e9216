import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { findChromium } from "./scripts/programs.ts";

/** Its packages are installed when `npm test` first needs them. */
const conformance = existsSync(new URL("conformance/node_modules", import.meta.url));

// Tests run on the sources: the `@saferun/source` condition of every workspace points at its `src/`.
export default defineConfig({
  resolve: { conditions: ["@saferun/source"] },
  ssr: { resolve: { conditions: ["@saferun/source"], externalConditions: ["@saferun/source"] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "code",
          include: [
            "packages/*/src/**/*.test.ts",
            "packages/*/test/**/*.test.ts",
            "apps/dashboard/src/**/*.test.ts",
            "examples/*/**/*.test.ts",
            "scripts/**/*.test.ts",
            ...(conformance ? ["conformance/**/*.test.ts"] : []),
          ],
        },
      },
      {
        extends: true,
        // A browser, a server and an agent on a machine that may be busy: once more, and `npm test` names what needed it.
        test: { name: "pages", include: ["apps/dashboard/test/**/*.test.ts"], retry: 1 },
      },
    ],
    env: {
      CHROMIUM_PATH: findChromium() ?? "",
      // Some hundred processes are started from the same sources: each is compiled once.
      NODE_COMPILE_CACHE: fileURLToPath(new URL(".test-results/compiled", import.meta.url)),
    },
    pool: "forks",
    maxWorkers: 2,
    // Bounds against a hang. A test takes a few seconds at most; a machine with other work takes many times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    execArgv: ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"],
  },
});
