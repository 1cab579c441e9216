/** The reference of conditions is made from the functions themselves. `vitest run scripts/conditions -u` writes it anew. */
import { expect, it } from "vitest";
import { renderConditions } from "../packages/core/src/index.ts";

const HEAD = `# Conditions

Conditions are CEL, the Common Expression Language, in a profile for a gate. This page lists every function with what it takes, what it gives and what it refuses; the guide is [policies.md](policies.md#conditions).

An error is a value of its own kind: it makes deny and pause rules match, and allow rules not. So a function that refuses a text never lets it through, whichever rule asks. The functions for what attackers bend refuse every text that two programs could read in two ways, and every text whose canonical form is not what is sent, apart from the letter case of host names and one dot at their end.

Differences from plain CEL, each tested against the public suite (\`npm run conformance:cel\`):

- Values from \`args\` and \`context\` compare with their own kind only: \`==\`, \`!=\` and \`in\` between different kinds is an error, null apart, and so is a comparison with what is not a number.
- A macro over a map from \`args\` or \`context\` is an error unless the tool's schema says map.
- Ints and doubles mix in arithmetic, because JSON has one kind of number; they are compared exactly.
- \`matches\` takes a literal in RE2 syntax; time and work grow with the text only.
- A list has at most 10,000 items, a text 262,144 characters, a condition 100,000 steps: over it is an error.

A time zone is a name such as \`Europe/Zurich\`, \`UTC\`, or a distance such as \`+01:00\`.

`;

it("docs/conditions.md agrees with the functions", async () => {
  await expect(HEAD + renderConditions()).toMatchFileSnapshot("../docs/conditions.md");
});
