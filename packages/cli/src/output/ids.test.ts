import { describe, expect, it } from "vitest";
import { CommandError } from "../exit.ts";
import { meantBy, shortIds } from "./ids.ts";

const [ONE, OTHER, THIRD] = [
  "appr_01a2050427014dc326dc3dfca707a272",
  "appr_01a2050427014dc326dc3dfca7b7a272",
  "appr_01a2050428114dc326dc3dfca70911ff",
];
const items = [ONE, OTHER, THIRD].map((id) => ({ id, tool: id === ONE ? "refund" : "mail" }));
const meant = (typed: string) => meantBy(items, typed, "approvals", ({ tool }) => tool)?.id;

describe("the short form of an id", () => {
  it("tells ids apart that share their beginning, and leaves names alone", () => {
    const shown = shortIds([ONE, OTHER, THIRD, "ben", "run-1"]);
    expect([ONE, OTHER, THIRD, "ben"].map(shown)).toEqual(["appr_…07a272", "appr_…b7a272", "appr_…0911ff", "ben"]);
    const near = ["0f9c1a272", "1f9c1a272"].map((end) => `run_${"0".repeat(23)}${end}`);
    expect(near.map(shortIds(near))).toEqual(["run_…0f9c1a272", "run_…1f9c1a272"]);
  });

  it("names what it was made of, as do a start, an end, and the whole", () => {
    const shown = shortIds([ONE, OTHER, THIRD]);
    for (const id of [ONE, OTHER, THIRD]) {
      for (const typed of [shown(id), shown(id).replace("…", "..."), shown(id).slice(-6), id, id.slice(0, 36)]) {
        expect(meant(typed), typed).toBe(id);
      }
    }
    expect(meant("appr_01a2050428…")).toBe(THIRD);
    expect(meantBy([{ id: "ben" }], "ben", "runs")?.id).toBe("ben");
  });

  it("names nothing where it is too short or of none, and says which where it may be several", () => {
    expect(["", "…", "appr_", "appr_01a20", "a272", "appr_…a272", "ffffff"].map(meant)).toEqual(
      Array(7).fill(undefined),
    );
    for (const [typed, told] of [
      ["appr_01a205", "may mean 3 approvals: appr_…07a272 (refund), appr_…b7a272 (mail), appr_…0911ff (mail); give"],
      ["appr_01a20504270…", "may mean 2 approvals"],
      ["appr_01a2…7a272", "may mean 2 approvals"],
    ] as const) {
      const said = () => meant(typed);
      expect(said).toThrow(CommandError);
      expect(said).toThrow(told);
    }
  });
});
