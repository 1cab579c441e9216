import { describe, expect, it } from "vitest";
import type { ApprovalRecord } from "../approval/approval.ts";
import type { Alarm } from "../ports.ts";
import { alarmLines, askedRows, standingOf } from "./outgoing.ts";

const approval: ApprovalRecord = {
  ...{
    id: "appr_1",
    version: 3,
    since: 2,
    state: "pending",
    call: "call_1",
    run: "run_1",
    tool: "refund",
    agent: "bot",
  },
  ...{ environment: "prod", digest: "d1", bytes: "{}", reasons: [], editable: [], requesters: [], edit: null },
  ...{ votes: [], escalated: 0, createdAt: 0, deadline: 1_000, decision: null },
};
const quiet: Alarm = { run: "run_1", agent: "bot", environment: "prod", changes: [], marks: [], exceeded: [] };
const pot = JSON.stringify(["refunds", "prod", "usd", [], "day"]);
const stopped: Alarm["changes"][number] = {
  ...{ breaker: "b", scope: "run", name: "run_1", to: "stopped" },
  trip: { cause: "loop", reason: "the same again", by: "breaker:repeat", at: 1 },
} as const;

describe("what goes out", () => {
  it("is one row for each place outside of the store, however often it is named", () => {
    const to = ["slack:#fin", "cli", "slack:#fin", "dashboard", "fax:12", "email:cfo@example.com"];
    expect(askedRows(approval, to, 5).map(({ id, due }) => [id, due])).toEqual([
      ["message/appr_1 asked 3 slack:#fin", 5],
      ["message/appr_1 asked 3 email:cfo@example.com", 5],
    ]);
  });

  it.each([
    ["pending", 999, "open"],
    ["pending", 1_000, "over"],
    ["suspended", 999, "held"],
    ["approved", 0, "over"],
    ["denied", 0, "over"],
    ["expired", 0, "over"],
    ["withdrawn", 0, "over"],
    ["consumed", 0, "over"],
  ] as const)("%s at %i is %s", (state, now, stands) => {
    expect(standingOf({ ...approval, state }, now)).toEqual({ state: stands, version: 3, reads: "2 0" });
  });

  it.each<[string, Partial<Alarm>, readonly RegExp[]]>([
    ["a stopped run, with why", { changes: [stopped] }, [/run `run_1` is stopped until a person.*: the same again$/]],
    ["a tool that is left alone", { changes: [{ ...stopped, scope: "tool", to: "open", trip: null }] }, [/left alone/]],
    ["a breaker that closes", { changes: [{ ...stopped, to: "closed" }] }, []],
    ["half a budget", { marks: [{ pot, percent: 50 }] }, []],
    ["a whole budget, once", { marks: [80, 100, 100].map((percent) => ({ pot, percent })) }, [/`refunds` is used up/]],
    ["more than was held", { exceeded: [pot] }, [/more than it had held, by agent `bot`/]],
  ])("tells of %s", (_what, change, lines) => {
    const said = alarmLines({ ...quiet, ...change });
    expect(said).toHaveLength(lines.length);
    for (const [index, line] of lines.entries()) expect(said[index]).toMatch(line);
  });
});
