import { describe, expect, it } from "vitest";
import { intlZones } from "./zones.ts";

describe("time zones by name", () => {
  it.each([
    ["Europe/Zurich", "2026-01-15T12:00:00Z", 3_600],
    ["Europe/Zurich", "2026-07-15T12:00:00Z", 7_200],
    ["Europe/Zurich", "2026-03-29T00:59:59Z", 3_600],
    ["Europe/Zurich", "2026-03-29T01:00:00Z", 7_200],
    ["America/New_York", "2026-01-15T12:00:00Z", -18_000],
    ["Asia/Kathmandu", "2026-01-15T12:00:00Z", 20_700],
    ["Pacific/Kiritimati", "2026-01-15T12:00:00.999Z", 50_400],
    ["UTC", "2026-01-15T12:00:00Z", 0],
    ["UTC", "0050-01-15T12:00:00Z", 0],
    ["UTC", "0001-01-01T00:00:00Z", 0],
    ["UTC", "9999-12-31T23:59:59Z", 0],
    ["UTC", "1969-12-31T23:59:59.500Z", 0],
  ])("%s at %s", (zone, moment, seconds) => {
    expect(intlZones(zone, Date.parse(moment))).toBe(seconds);
  });

  it("does not know what is no zone", () => {
    for (const zone of ["", "Mars/Olympus", "../etc/passwd", "a".repeat(1_000)])
      expect(intlZones(zone, 0)).toBeUndefined();
    expect(intlZones("UTC", Number.NaN)).toBeUndefined();
  });
});
