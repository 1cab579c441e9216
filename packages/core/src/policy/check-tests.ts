/** `tests:` at load: a test that could not mean anything is an error, not a test that passes. */
import type { TestSource } from "./format.ts";
import { type Issues, quote } from "./issue.ts";
import type { EnvironmentModel } from "./model.ts";
import { nearest } from "./nearest.ts";
import { hint } from "./read.ts";

export function checkTest(test: TestSource, environments: ReadonlyMap<string, EnvironmentModel>, issues: Issues): void {
  // A name that did not read was reported.
  const { name = "" }: Partial<TestSource> = test;
  if (test.env === undefined && environments.size > 1) {
    issues.error("missing-key", test.span, `test ${quote(name)} has no \`env\`, and there are several environments`);
  }
  if (test.env !== undefined && !environments.has(test.env.value)) {
    const suggestion = nearest(test.env.value, environments.keys());
    issues.error(
      "unknown-environment",
      test.env.span,
      `unknown environment ${quote(test.env.value)}${hint(suggestion)}`,
      {
        suggestion,
      },
    );
  }
  const single = test.call !== undefined || test.expect !== undefined;
  if (test.run === undefined && (test.call === undefined || test.expect === undefined)) {
    issues.error("missing-key", test.span, `test ${quote(name)} needs \`call\` and \`expect\`, or \`run\``);
  } else if (test.run !== undefined && (single || test.run.length === 0)) {
    issues.error(
      "bad-value",
      test.span,
      `test ${quote(name)} needs either \`call\` and \`expect\`, or \`run\` with steps`,
    );
  }
}
