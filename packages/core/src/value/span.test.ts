import { describe, expect, it } from "vitest";
import { spanText } from "./span.ts";

describe("a length of time", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1 s"],
    [3_599_000, "59 min 59 s"],
    [3_600_000, "1 h"],
    [90_061_000, "1 d 1 h"],
  ])("says %i as %s", (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});
