/** What people may permit beside a call, and what of it holds: counted at the tool. */
import {
  chosenGrant,
  decideApproval,
  type EditField,
  type GrantChoice,
  type JsonObject,
  type PolicySet,
  parseGrantChoice,
  readGrantChoice,
  standingGrants,
  type ToolTraits,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { describe, expect, it } from "vitest";
import { ANN, BOB, LEO, portsOf, terms } from "./people.ts";
import { asked, decision, type World, world } from "./world.ts";

const ARGS = { amount: 450, to: "ada", reason: "late", urgent: false, currency: "usd" };
const HOUR: GrantChoice = { for: "1h", count: 3, most: 100 };

interface Kind {
  readonly traits?: Partial<ToolTraits>;
  readonly fields?: readonly EditField[];
  readonly show?: readonly string[];
  readonly need?: number;
}

/** Every call asks, and may be permitted. */
function granting({ traits = { recipients: ["to"] }, fields = [], show = [], need = 1 }: Kind = {}): World {
  const approval = terms({ grantable: true, show, need });
  const judge = () => decision("pause", "r0", { pauses: [{ id: "r0", digest: "d0", reason: "", approval }] });
  const set: PolicySet = {
    ...WITHOUT_LIMITS,
    ...{ revision: "r1", evaluate: judge, explain: judge, kind: () => "write", declares: () => true },
    ...{ boundPaths: () => [], bound: (_, args) => args },
    traits: () => ({ kind: "write", ...traits }),
    editFields: (_, paths) => fields.filter(({ path }) => paths.includes(path)),
  };
  return world({ policies: () => set });
}

const call = (at: World, args: JsonObject) => at.call(args, { maxWaitMs: 0 });
const runs = async (at: World, args: JsonObject) => (await call(at, args)).status === "ran";

async function offered(kind: Kind, args: JsonObject = ARGS) {
  const at = granting(kind);
  await call(at, args);
  return (await asked(at)).grantOffer;
}

async function given(at: World, choice: GrantChoice = HOUR, by = [ANN], args: JsonObject = ARGS) {
  await call(at, args);
  const { id } = await asked(at);
  for (const one of by) {
    const approval = await at.store.approval(id);
    if (approval === undefined) throw new Error("no approval");
    const chosen = chosenGrant(approval, choice);
    if ("mistakes" in chosen) throw new Error(JSON.stringify(chosen.mistakes));
    await decideApproval(portsOf(at), { approval: id, verdict: "approve", by: one, ...chosen });
  }
  return id;
}

const text = (path: string): EditField => ({ path, label: path, type: "string", required: true });

describe("what is offered", () => {
  it.each<[string, Kind, object]>([
    ["whom it reaches stays", {}, { same: ["to", "urgent"], free: ["currency", "reason"], amount: "amount" }],
    [
      "a choice of the schema stays, and what a rule shows",
      { fields: [text("reason"), { ...text("currency"), type: "enum", enum: ["usd"] }], show: ["reason"] },
      { same: ["currency", "reason", "to", "urgent"], free: [], amount: "amount" },
    ],
    [
      "of two that reach nobody, what makes them one act",
      { traits: { identity: ["currency"] } },
      { same: ["currency", "urgent"], free: ["reason", "to"], amount: "amount" },
    ],
    [
      "all of it where nobody said more",
      { traits: {} },
      { same: ["currency", "reason", "to", "urgent"], free: [], amount: "amount" },
    ],
    ["a whole call that reaches", { traits: { recipients: ["$"] } }, { free: [] }],
  ])("%s", async (_, kind, offer) => {
    const { same, ...rest } = (await offered(kind)) ?? { same: [] };
    expect({ ...rest, same: same.toSorted() }).toMatchObject(offer);
  });

  it("counts no number that is no amount, and none that cannot be counted", async () => {
    expect(await offered({ traits: {} }, { order_id: 7, to: "ada" })).toEqual({ same: ["order_id", "to"], free: [] });
    for (const amount of [4.5, -1, "450", null]) {
      const offer = await offered({}, { amount, to: "ada" });
      expect(offer?.amount).toBeUndefined();
      // Whatever it is, another one asks; but for a text that nobody declared.
      expect(offer?.same.includes("amount") === true || typeof amount === "string").toBe(true);
    }
    expect(await offered({}, { "a.b": 1 })).toBeUndefined();
  });

  it.each<[GrantChoice, string]>([
    [{ ...HOUR, for: "2h" }, "for"],
    [{ ...HOUR, for: "constructor" }, "for"],
    [{ ...HOUR, count: "1e3" }, "count"],
    [{ ...HOUR, count: 1_001 }, "count"],
    [{ for: "1h", count: 1 }, "most"],
    [{ ...HOUR, most: "-5" }, "most"],
    [{ ...HOUR, most: 1e17 }, "most"],
  ])("%j is refused at `%s`", (choice, field) => {
    const offer = { reasons: [], grantOffer: { same: ["to"], free: [], amount: "amount" } };
    expect(chosenGrant(offer, choice)).toMatchObject({ mistakes: [{ field }] });
  });

  it("takes a text and a map of exactly these parts", () => {
    expect(parseGrantChoice("for=15m, count=1 most=20")).toEqual({ choice: { for: "15m", count: "1", most: "20" } });
    for (const wrong of ["same=*", "for=1h for=4h", "for", "to=eve", "for=1h=2"])
      expect(parseGrantChoice(wrong)).toHaveProperty("mistake");
    expect(readGrantChoice({ for: "1h", count: 5 })).toEqual({ for: "1h", count: 5 });
    for (const wrong of [null, [], "1h", { same: [] }, { for: 1 }, { count: {} }, { most: [1] }])
      expect(readGrantChoice(wrong)).toBeNull();
  });
});

describe("what holds of it", () => {
  it("an argument that the approved call did not have asks, and so does one that an approver took away [A11~]", async () => {
    const at = granting();
    await given(at);
    expect(await runs(at, { ...ARGS, amount: 1, cc: "eve" })).toBe(false);
    const { urgent: _, ...without } = ARGS;
    expect(await runs(at, { ...without, amount: 1 })).toBe(false);
    expect(await runs(at, { ...ARGS, amount: 1, reason: "another" })).toBe(true);
    expect(at.ran).toEqual([{ ...ARGS, amount: 1, reason: "another" }]);
  });

  it("counts only when its own quorum is met: what one of two chose otherwise is not given", async () => {
    const at = granting({ need: 2 });
    const id = await given(at, HOUR, [ANN]);
    expect(await runs(at, { ...ARGS, amount: 1 })).toBe(false);
    const approval = await at.store.approval(id);
    const other = approval === undefined ? undefined : chosenGrant(approval, { ...HOUR, count: 900 });
    if (other === undefined || "mistakes" in other) throw new Error("no choice");
    expect(await decideApproval(portsOf(at), { approval: id, verdict: "approve", by: BOB, ...other })).toMatchObject({
      status: "applied",
    });
    expect(await runs(at, { ...ARGS, amount: 1 })).toBe(false);
    expect(await standingGrants(at, 10)).toEqual([]);
    const both = granting({ need: 2 });
    await given(both, HOUR, [ANN, BOB]);
    expect(await runs(both, { ...ARGS, amount: 1 })).toBe(true);
  });

  it("is nobody's who may not answer", async () => {
    const at = granting();
    await given(at, HOUR, [LEO]);
    expect(await runs(at, { ...ARGS, amount: 1 })).toBe(false);
    expect(await standingGrants(at, 10)).toEqual([]);
  });

  it("is listed with what is used of it, until it is used up or over", async () => {
    const at = granting();
    const id = await given(at);
    await call(at, { ...ARGS, amount: 40 });
    const [grant, ...others] = await standingGrants(at, 10);
    expect(others).toEqual([]);
    expect(grant).toMatchObject({
      ...{ approval: id, tool: "refund", by: [{ id: "ann" }], calls: { used: 1, of: 3 } },
      ...{ sum: { path: "amount", used: 40, of: 100 }, same: expect.arrayContaining([["to", "ada"]]) },
    });
    at.clock.time += 3_600_000;
    expect(await standingGrants(at, 10)).toEqual([]);
  });

  it("keeps no value in its row: what was a secret in the call is none there", async () => {
    const at = granting({ traits: {} });
    await given(at, HOUR, [ANN], { to: "sk_live_very_secret", amount: 4 });
    const rows = await at.store.rows({ kind: "grant", limit: 10 });
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain("secret");
  });

  it("a clock that goes back makes it no longer", async () => {
    const at = granting();
    await given(at, { ...HOUR, for: "15m" });
    at.clock.time += 900_000;
    expect(await runs(at, { ...ARGS, amount: 1 })).toBe(false);
    at.clock.time -= 600_000;
    expect(await runs(at, { ...ARGS, amount: 1 })).toBe(false);
    expect(at.ran).toEqual([]);
  });
});
