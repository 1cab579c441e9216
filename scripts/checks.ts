/** The checks that need no test runner, in the order in which a failure is cheapest to mend. */
import type { Step } from "./steps.ts";

export const CHECKS: readonly Step[] = [
  { name: "format and lint", command: ["biome", "check", "--error-on-warnings", "."] },
  { name: "types of the core alone", command: ["tsc", "-p", "packages/core"] },
  { name: "types of everything", command: ["tsc", "-p", "."] },
  { name: "types of the dashboard", command: ["tsc", "-p", "apps/dashboard"] },
  {
    name: "boundaries",
    command: [
      "depcruise",
      "--config",
      ".dependency-cruiser.mjs",
      "packages",
      "apps",
      "examples",
      "bench",
      "spec",
      "scripts",
    ],
  },
  { name: "unused code", command: ["knip", "--no-progress", "--no-config-hints"] },
];

/** Programs of the system that tests drive. */
export const PROGRAMS: readonly Step[] = [{ name: "a browser and strace", command: ["node", "scripts/programs.ts"] }];

/** Public suites that say themselves what passed: their last line is shown. They install what they need first. */
export const SUITES: readonly Step[] = [
  { name: "CEL conformance", command: ["npm", "run", "--silent", "conformance:cel"], showsLastLine: true },
  { name: "types of the suites", command: ["tsc", "-p", "conformance"] },
];
