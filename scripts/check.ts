/** `npm run check`: everything that can be said about the sources without running them, and the rules of the house. */
import { CHECKS } from "./checks.ts";
import { runSteps } from "./steps.ts";

const { failed } = await runSteps([
  ...CHECKS,
  { name: "house rules and docs", command: ["vitest", "run", "scripts/"] },
]);
process.exitCode = failed === 0 ? 0 : 1;
