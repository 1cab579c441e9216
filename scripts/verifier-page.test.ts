import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { VERIFIER, verifierScript } from "./verifier-page.ts";

describe("the script of the evidence page", () => {
  it("is the one that its sources build; `node scripts/verifier-page.ts` writes it", async () => {
    expect(readFileSync(VERIFIER, "utf8")).toBe(await verifierScript());
  });
});
