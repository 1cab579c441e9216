import { runTree } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { gateTools } from "../src/adapters/tools.ts";
import { agentFrame, newScope, within } from "../src/frame.ts";
import { checkFacts } from "../src/run-facts.ts";
import { sdkTools } from "./subjects.ts";
import { world } from "./world.ts";

type Execute = (args: object, options: object) => Promise<unknown>;

describe("the run of a tool call", () => {
  it("is that of the agent's call it is bound to, whoever reads the stream that runs it", async () => {
    const w = world();
    const frame = agentFrame(w.binding);
    const execute = gateTools(sdkTools(w), { binding: w.binding, frame }).lookup.execute as Execute;
    const other = newScope(checkFacts({ principal: { id: "intruder" } }), w.binding.random);
    await within({ scope: other, depth: 0 }, () => execute({}, { toolCallId: "a" }));
    expect((await w.store.runs({ limit: 10 })).map(({ id }) => id)).toEqual([frame.scope.id]);
  });

  it("is that of the tool that calls it, where one does", async () => {
    const w = world();
    const tools = gateTools(sdkTools(w), { binding: w.binding });
    const frame = agentFrame(w.binding);
    const outer = gateTools(
      { lookup: { execute: () => (tools.refund.execute as Execute)({ amount: 1 }, { toolCallId: "same" }) } },
      { binding: w.binding, frame },
    );
    const call: Execute = outer.lookup.execute;
    expect(await call({}, { toolCallId: "same" })).toEqual({ refunded: 1 });
    expect(await w.store.runs({ limit: 10 })).toHaveLength(1);
    const tree = runTree(frame.scope.id, await w.store.entries({ from: 0, limit: 100 }));
    // One call, and within its execution the other; the run's start is recorded once.
    expect(tree.steps).toMatchObject([{ kind: "call", tool: "lookup", steps: [{ kind: "call", tool: "refund" }] }]);
  });

  it("of a named call is its alone: the same name in another run is another call", async () => {
    const w = world();
    const tools = gateTools(sdkTools(w), { binding: w.binding });
    const { execute } = tools.refund;
    for (let round = 0; round < 2; round++) {
      await within({ scope: newScope(checkFacts({}), w.binding.random), depth: 0 }, async () => {
        await (execute as Execute)({ amount: 1 }, { toolCallId: "one" });
        await (execute as Execute)({ amount: 1 }, { toolCallId: "one" });
      });
    }
    expect(w.ran).toHaveLength(2);
  });

  it("is not taken up for another principal: an approval asked for in one's name is not used in another's (trap 14)", async () => {
    const w = world();
    const execute = gateTools(sdkTools(w), { binding: w.binding }).refund.execute as Execute;
    const as = (id: string, toolCallId: string, amount = 200) => {
      const facts = checkFacts({ id: "ticket-7", principal: { id } });
      return within({ scope: newScope(facts, w.binding.random), depth: 0 }, () => execute({ amount }, { toolCallId }));
    };
    const alice = as("alice", "one");
    const asked = await w.nextPaused();
    const others = [as("mallory", "one"), as("mallory", '["alice","one"]', 201)];
    const own = [await w.nextPaused(), await w.nextPaused()];
    await asked.approve();
    expect(await alice).toEqual({ refunded: 200 });
    await Promise.all(own.map((call) => call.deny()));
    expect(await Promise.all(others)).toMatchObject([{ denied: true }, { denied: true }]);
    expect(w.ran).toHaveLength(1);
  });
});
