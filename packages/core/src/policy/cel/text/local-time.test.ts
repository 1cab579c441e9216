import { describe, expect, it } from "vitest";
import { Fault } from "../issues.ts";
import { formatTimestamp } from "../time.ts";
import { Timestamp } from "../values.ts";
import { localDay, localTime } from "./local-time.ts";

/** One hour east of UTC, two from the last Sunday of March 2026 to that of October, as in Zurich; others are not known. */
const SPRING = 1_774_746_000_000;
const AUTUMN = 1_792_890_000_000;
function zones(zone: string, epochMs: number): number | undefined {
  if (zone !== "Europe/Zurich") return undefined;
  return epochMs >= SPRING && epochMs < AUTUMN ? 7_200 : 3_600;
}

function time(text: string, zone = "Europe/Zurich"): string {
  const moment = localTime(text, zone, zones, 0);
  return moment instanceof Timestamp ? formatTimestamp(moment) : "refused";
}

describe("[P4~] local times", () => {
  it.each([
    ["2026-01-15T09:30", "2026-01-15T08:30:00Z"],
    ["2026-07-15 09:30:15.5", "2026-07-15T07:30:15.500Z".replace("500", "5")],
    ["2026-07-15", "2026-07-14T22:00:00Z"],
    ["2026-03-29T01:59:59", "2026-03-29T00:59:59Z"],
    ["2026-03-29T03:00", "2026-03-29T01:00:00Z"],
    ["2026-10-25T01:59", "2026-10-24T23:59:00Z"],
    ["2026-10-25T03:00", "2026-10-25T02:00:00Z"],
  ])("%s in Zurich is %s", (text, moment) => expect(time(text)).toBe(moment));

  it.each([
    ["a time that is skipped", "2026-03-29T02:30"],
    ["a time that comes twice", "2026-10-25T02:30"],
    ["an offset of its own", "2026-01-15T09:30+01:00"],
    ["Z", "2026-01-15T09:30Z"],
    ["another order", "15.01.2026"],
    ["an American order", "01/15/2026"],
    ["words", "tomorrow"],
    ["nothing", ""],
    ["a blank", " 2026-01-15"],
    ["a day that is not there", "2026-02-30"],
    ["an hour that is not there", "2026-02-20T24:00"],
    ["wide digits", "\uff12026-01-15"],
    ["an hour alone", "2026-01-15T09"],
  ])("refuses %s", (_name, text) => expect(time(text)).toBe("refused"));

  it("knows UTC and distances without a calendar, and names only with one", () => {
    expect(time("2026-01-15T09:30", "UTC")).toBe("2026-01-15T09:30:00Z");
    expect(time("2026-01-15T09:30", "-05:00")).toBe("2026-01-15T14:30:00Z");
    expect(time("2026-01-15T09:30", "Mars/Olympus")).toBe("refused");
    expect(localTime("2026-01-15T09:30", "Europe/Zurich", undefined, 0)).toEqual(expect.any(Fault));
    expect(localTime("2026-01-15T09:30", "../etc", () => 0, 0)).toEqual(expect.any(Fault));
    expect(localTime("2026-01-15T09:30", "A", () => Number.NaN, 0)).toEqual(expect.any(Fault));
  });

  it("says the day of a moment where it is", () => {
    const moment = Timestamp.fromMs(Date.UTC(2026, 6, 14, 23, 30));
    expect(localDay(moment, "Europe/Zurich", zones, 0)).toBe("2026-07-15");
    expect(localDay(moment, "UTC", zones, 0)).toBe("2026-07-14");
    expect(localDay(moment, "nowhere", zones, 0)).toEqual(expect.any(Fault));
  });
});
