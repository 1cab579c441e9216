import { describe, expect, it } from "vitest";
import { leavesViewsOut, linesOf, turnViews } from "./lines.ts";
import type { LogItem } from "./search.ts";

function item(seq: number, type = "payload.viewed", who: string | null = "local:ann"): LogItem {
  const empty = { at: null, run: null, call: null, tool: null, agent: null, outcome: null, about: null };
  return { seq, type, who, ...empty, verdicts: [], rules: [], entries: 1 };
}

const ITEMS = [
  item(9),
  item(8),
  item(7, "stop.placed"),
  item(6),
  item(5, "payload.viewed", "local:bob"),
  item(4),
  item(3),
  item(2),
];

function shown(turned: readonly string[]): readonly string[] {
  return linesOf(ITEMS, new Set(turned)).map((line) =>
    line.kind === "views" ? `${line.who} ${line.items.length}` : `${line.item.seq}${line.within ? " within" : ""}`,
  );
}

describe("looks", () => {
  it("of one person that follow one another are one line; every item stands in one", () => {
    expect(shown([])).toEqual(["local:ann 2", "7", "6", "5", "local:ann 3"]);
    expect(shown(["views 2"])).toEqual([
      "local:ann 2",
      "7",
      "6",
      "5",
      "local:ann 3",
      "4 within",
      "3 within",
      "2 within",
    ]);
  });

  it("that join a group leave it unfolded", () => {
    const more = linesOf([item(10), ...ITEMS], new Set(["views 8"]));
    expect(more[0]).toMatchObject({ kind: "views", open: true, items: [{ seq: 10 }, { seq: 9 }, { seq: 8 }] });
  });

  it("are left out by the query's own words only, and come back", () => {
    expect(turnViews("")).toBe("-type:payload.viewed");
    expect(turnViews("tool:x")).toBe("tool:x -type:payload.viewed");
    expect(leavesViewsOut("tool:x -type:payload.viewed")).toBe(true);
    expect(turnViews("tool:x -type:payload.viewed since:1d")).toBe("tool:x since:1d");
  });
});
