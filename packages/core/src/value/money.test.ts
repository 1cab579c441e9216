import { describe, expect, it } from "vitest";
import { amountText, dollarsText } from "./money.ts";

describe("amounts", () => {
  it("are dollars to the cent at least, and exact below it", () => {
    expect(["0", "1", "12300", "1000000", "1234567890123456789"].map(dollarsText)).toEqual([
      "$0.00",
      "$0.000001",
      "$0.0123",
      "$1.00",
      "$1,234,567,890,123.456789",
    ]);
  });

  it("read as the money that their unit counts, or as so many of it", () => {
    expect(amountText("49500", "usd_cents")).toBe("$495.00");
    expect(amountText("7", "eur_cents")).toBe("0.07 EUR");
    expect(amountText("12.5", "usd")).toBe("$12.50");
    expect(amountText("2500", "usd_micros")).toBe("$0.0025");
    expect(amountText("12345", "emails")).toBe("12,345 emails");
    expect(amountText("3", "\u202exyz_cents")).toBe("3 \\u{202e}xyz_cents");
  });
});
