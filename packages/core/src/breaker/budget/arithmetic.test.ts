import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BudgetWindow } from "../../budget.ts";
import { formatDecimal, MOST, parseDecimal } from "../../value/decimal.ts";
import { amountOf } from "../../value/unit.ts";
import { inputTokenBound, modelCost } from "./model-spend.ts";
import { windowAt, type ZoneOffset } from "./window.ts";

describe("decimal texts (trap 19)", () => {
  it.each([
    ["12.50", 6, 12_500_000n],
    ["0", 6, 0n],
    ["0.000001", 6, 1n],
    ["0.1000000", 6, 100_000n],
    ["7", 0, 7n],
    ["7.0", 0, 7n],
    ["9223372036854775807", 0, MOST],
  ])("%s at scale %i", (text, scale, value) => {
    expect(parseDecimal(text, scale)).toBe(value);
  });

  it.each([
    ["", 6],
    ["1,000", 2],
    ["1e3", 2],
    ["-1", 2],
    ["+1", 2],
    [" 1", 2],
    ["01", 2],
    [".5", 2],
    ["5.", 2],
    ["0x10", 2],
    ["0.0000001", 6],
    ["1.5", 0],
    ["NaN", 2],
    ["Infinity", 2],
    ["9223372036854775808", 0],
    ["9223372036854775807", 1],
    ["١", 0],
    [`1${"0".repeat(400_000)}`, 0],
  ])("%s at scale %i is none", (text, scale) => {
    expect(parseDecimal(text, scale)).toBeUndefined();
  });

  it("go to integers and back without loss, at every scale", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, MOST), fc.integer({ min: 0, max: 18 }), (value, scale) => {
        expect(parseDecimal(formatDecimal(value, scale), scale)).toBe(value);
      }),
    );
  });
});

describe("amounts", () => {
  it.each<[unknown, string, bigint | undefined]>([
    ["12.50", "usd", 12_500_000n],
    [12, "emails", 12n],
    [0, "rows", 0n],
    [5n, "tokens", 5n],
    ["3", "seats of our own", 3n],
    [12.5, "usd", undefined],
    [-1, "emails", undefined],
    [-1n, "emails", undefined],
    ["12.5", "emails", undefined],
    [2 ** 53, "rows", undefined],
    [Number.NaN, "rows", undefined],
    [undefined, "rows", undefined],
    [null, "rows", undefined],
    [true, "rows", undefined],
    [[1], "rows", undefined],
    [{}, "rows", undefined],
  ])("%s %s", (value, unit, amount) => {
    expect(amountOf(value, unit)).toBe(amount);
  });
});

describe("model spend [B2~]", () => {
  it("of an input that was not counted is bounded by its bytes", () => {
    expect([0, 1, 4, 5].map(inputTokenBound)).toEqual([0n, 1n, 3n, 4n]);
    expect([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY].map(inputTokenBound)).toEqual(Array(4).fill(undefined));
  });

  it("is rounded up once, to a whole millionth", () => {
    expect(modelCost([])).toBe(0n);
    expect(modelCost([{ tokens: 1n, microsPerMillion: 1n }])).toBe(1n);
    const half = { tokens: 1n, microsPerMillion: 500_000n };
    expect(modelCost([half, half])).toBe(1n);
    const [input, output] = [
      { tokens: 3_000n, microsPerMillion: 3_000_000n },
      { tokens: 1_000n, microsPerMillion: 15_000_000n },
    ];
    expect(modelCost([input, output])).toBe(24_000n);
  });

  it.each([
    ["a price below nothing", [{ tokens: 1n, microsPerMillion: -1n }]],
    ["a count below nothing", [{ tokens: -1n, microsPerMillion: 1n }]],
    ["more than 64 bits", [{ tokens: 2n ** 63n, microsPerMillion: 1_000_000n }]],
  ])("of %s is none, and not zero (trap 19)", (_what, costs) => {
    expect(modelCost(costs)).toBeUndefined();
  });
});

/** The host's calendar, as the edges hand it in. */
const zones: ZoneOffset = (zone, epochMs) => {
  try {
    const text = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).format(epochMs);
    const [, sign = "+", hours = "0", minutes = "0"] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60);
  } catch {
    return undefined;
  }
};

describe("windows [B3~]", () => {
  const key = (window: BudgetWindow, time: string) => windowAt(window, Date.parse(time), "run_1", zones)?.key;
  const day = (zone: string): BudgetWindow => ({ kind: "calendar", unit: "day", zone });
  const hour = (zone: string): BudgetWindow => ({ kind: "calendar", unit: "hour", zone });
  const HOUR = 3_600_000;

  it.each([
    ["the day of the change to summer time", "2026-03-29T12:00:00Z", 23],
    ["the day of the change back", "2026-10-25T12:00:00Z", 25],
    ["any other day", "2026-11-22T12:00:00Z", 24],
  ])("%s is one pot, in Zurich", (_what, time, hours) => {
    const noon = Date.parse(time);
    const label = windowAt(day("Europe/Zurich"), noon, "r", zones)?.key;
    const inside = Array.from({ length: 96 }, (_, at) => noon + (at - 48) * HOUR).filter(
      (moment) => windowAt(day("Europe/Zurich"), moment, "r", zones)?.key === label,
    );
    expect(inside).toHaveLength(hours);
    expect(Math.max(...inside) - Math.min(...inside)).toBe((hours - 1) * HOUR);
  });

  it("a day without midnight is one day, and a repeated hour is two hours", () => {
    // Beirut's clocks went from 24:00 to 01:00.
    expect(key(day("Asia/Beirut"), "2024-03-30T21:59:00Z")).toBe("day Asia/Beirut 2024-03-30");
    expect(key(day("Asia/Beirut"), "2024-03-30T22:00:00Z")).toBe("day Asia/Beirut 2024-03-31");
    const [first, second] = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map((time) =>
      key(hour("Europe/Zurich"), time),
    );
    expect(first).toContain("2026-10-25T02 ");
    expect(second).toContain("2026-10-25T02 ");
    expect(first).not.toBe(second);
  });

  it("names days, weeks, months as the zone has them", () => {
    expect(key(day("America/Los_Angeles"), "2026-01-01T07:59:00Z")).toBe("day America/Los_Angeles 2025-12-31");
    expect(key(day("Asia/Kathmandu"), "2025-12-31T18:15:00Z")).toBe("day Asia/Kathmandu 2026-01-01");
    const week: BudgetWindow = { kind: "calendar", unit: "week", zone: "UTC" };
    expect(["2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z"].map((time) => key(week, time))).toEqual([
      "week UTC 2026-11-16",
      "week UTC 2026-11-23",
    ]);
    expect(key({ kind: "calendar", unit: "month", zone: "UTC" }, "2024-02-29T23:59:59Z")).toBe("month UTC 2024-02");
    expect(key(day("UTC"), "1969-12-31T23:59:59Z")).toBe("day UTC 1969-12-31");
  });

  it("agree with the host's calendar on every date", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(key(day("UTC"), date.toISOString())).toBe(`day UTC ${date.toISOString().slice(0, 10)}`);
        },
      ),
    );
  });

  it("are fixed, sliding, of the run or for ever", () => {
    const at = (window: BudgetWindow, now: number, run = "run_1") => windowAt(window, now, run, zones);
    expect(at({ kind: "fixed", ms: 1_000 }, 1_999)).toEqual(at({ kind: "fixed", ms: 1_000 }, 1_000));
    expect(at({ kind: "fixed", ms: 1_000 }, 2_000)).not.toEqual(at({ kind: "fixed", ms: 1_000 }, 1_999));
    expect(at({ kind: "sliding", ms: 1_000 }, 5_000)).toEqual({ key: "sliding 1000", since: 4_000 });
    expect(at({ kind: "run" }, 0, "a")).not.toEqual(at({ kind: "run" }, 0, "b"));
    expect(at({ kind: "ever" }, 0, "a")).toEqual(at({ kind: "ever" }, 9e12, "b"));
  });

  it.each<[string, BudgetWindow, number]>([
    ["a zone that nobody knows", day("Europe/Atlantis"), 0],
    ["no clock", day("UTC"), Number.NaN],
    ["no length", { kind: "sliding", ms: 0 }, 0],
    ["a length that is none", { kind: "fixed", ms: 0.5 }, 0],
  ])("%s is no window, which denies", (_what, window, now) => {
    expect(windowAt(window, now, "r", zones)).toBeUndefined();
  });
});
