import { describe, expect, it } from "vitest";
import { numberArguments } from "./argument-schema.ts";

describe("numberArguments", () => {
  it("takes a schema's maximum for a limit, but not the one up to which JSON is exact", () => {
    const properties = {
      amount: { type: "integer", maximum: 50_000 },
      count: { type: "integer", maximum: Number.MAX_SAFE_INTEGER },
    };
    expect(numberArguments({ type: "object", properties })).toEqual([
      { path: "amount", max: 50_000 },
      { path: "count" },
    ]);
  });
});
