/** What an approver hears of an edit that policies deny, and that the waiting gate decides whatever anybody foresees. */
import { decideApproval } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { portsOf } from "./people.ts";
import { asked, world } from "./world.ts";

const by = { id: "ann", via: "test", verified: true };

/** A call that waits, and a way to answer it as a process that knows the gate does. */
async function waiting() {
  const at = world();
  const answer = at.call({ amount: 500 });
  const { id } = await asked(at);
  const foresee = at.gate.foresee.bind(at.gate);
  const edit = (amount: number, ports: object = { foresee }) =>
    decideApproval({ ...portsOf(at), ...ports }, { approval: id, verdict: "approve", by, args: { amount } });
  return { at, answer, edit, id };
}

describe("an edit", () => {
  it("that policies deny is said to its approver, who may mend it [A3~]", async () => {
    const { at, answer, edit } = await waiting();
    expect(await edit(5_000)).toMatchObject({
      ...{ status: "refused", reason: "foreseen", approval: { state: "pending", version: 1 } },
      message: "the policies deny the edited call, by deny: deny says deny",
    });
    expect(at.ran).toEqual([]);
    expect(await edit(900)).toMatchObject({ status: "applied" });
    expect((await answer).status).toBe("ran");
    expect(at.ran).toEqual([{ amount: 900 }]);
  });

  it.each([
    ["nobody foresees", {}],
    ["the look ahead fails", { foresee: () => Promise.reject(new Error("no")) }],
    ["the look ahead is wrong", { foresee: () => undefined }],
  ])("is judged by the gate where %s", async (_, ports) => {
    const { at, answer, edit } = await waiting();
    expect(await edit(5_000, ports)).toMatchObject({ status: "applied" });
    expect(await answer).toMatchObject({ status: "denied", denial: { rules: ["deny"] } });
    expect(at.ran).toEqual([]);
  });

  it("is told nothing of policies to somebody whose answer would not count", async () => {
    const { at, edit, id } = await waiting();
    const approval = await at.store.approval(id);
    if (approval === undefined) throw new Error("no approval");
    await decideApproval(portsOf(at), { approval: id, verdict: "deny", by });
    expect(await edit(5_000)).toMatchObject({ reason: "already-decided" });
    // A call that does not wait here is nothing that this gate could say anything of.
    const call = { ...approval, args: { amount: 5_000 }, source: "tool" };
    expect(await world().gate.foresee(approval, call)).toBeUndefined();
  });
});
