import { describe, expect, it } from "vitest";
import { storeFailure } from "./failure.ts";

describe("what a store's operation threw", () => {
  it("says to whom a store belongs that this account may not open", () => {
    const denied = Object.assign(new Error("EACCES: permission denied, stat '/srv/log.db'"), { code: "EACCES" });
    expect(storeFailure(denied)).toMatchObject({
      code: "record.unavailable",
      message: expect.stringContaining("take the account that made it"),
    });
  });
});
