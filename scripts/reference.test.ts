/** The reference of the policy format is made from its one definition. `vitest run scripts/reference -u` writes it anew. */
import { expect, it } from "vitest";
import { renderReference } from "../packages/core/src/index.ts";

const HEAD = `# Policy reference

Every key of a policy file, made from the definition that also checks the files. The guide is [policies.md](policies.md).

`;

it("docs/policy-reference.md agrees with the format's definition", async () => {
  await expect(HEAD + renderReference()).toMatchFileSnapshot("../docs/policy-reference.md");
});
