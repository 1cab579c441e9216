import { type Actor, type Store, stopCalls } from "@saferun/core";
import { createMemoryStore, nodeRandom } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { gateTools } from "../src/adapters/tools.ts";
import { asksPerson, runTool, type ToolRequest } from "../src/binding.ts";
import { newScope, within } from "../src/frame.ts";
import { inFlight } from "../src/in-flight.ts";
import { checkFacts } from "../src/run-facts.ts";
import { sdkTools } from "./subjects.ts";
import { type World, world } from "./world.ts";

type Execute = (args: object, options: object) => Promise<unknown>;

const ADMIN: Actor = { id: "ann", kind: "person", roles: ["admin"] };

async function stop(w: World, scope: { run?: string; tool?: string }): Promise<void> {
  const ports = { store: w.store, clock: w.clock, random: nodeRandom };
  const all = { agent: null, tool: null, run: null };
  const stopped = await stopCalls(ports, { scope: { ...all, ...scope }, reason: "incident", by: ADMIN });
  expect(stopped).toMatchObject({ ok: true });
}

/** As `saferun.run` does. */
function inRun<Result>(w: World, facts: object, body: () => Result): Result {
  return within({ scope: newScope(checkFacts(facts), w.binding.random), depth: 0 }, body);
}

describe("a stop", () => {
  it("of a run holds what the framework takes up in it from a message history", async () => {
    const w = world();
    const execute = gateTools(sdkTools(w), { binding: w.binding }).refund.execute as Execute;
    const call = { type: "tool-call", toolCallId: "c1", toolName: "refund", input: { amount: 1 } };
    const messages = [{ role: "assistant", content: [call] }];
    await stop(w, { run: "ticket-7" });
    const answer = await inRun(w, { id: "ticket-7" }, () => execute({ amount: 1 }, { toolCallId: "c1", messages }));
    expect(answer).toMatchObject({ denied: true, rules: ["stop:run"] });
    expect(w.ran).toEqual([]);
  });

  it("holds a call that was let go and has not started", async () => {
    const w = world();
    const binding = { ...w.binding, maxWaitMs: 0 };
    const request: ToolRequest = {
      tool: "refund",
      args: { amount: 1 },
      toolCallId: "c1",
      signal: undefined,
      resumed: false,
    };
    const answer = await inRun(w, {}, async () => {
      expect(await asksPerson(binding, undefined, request)).toBe(false);
      await stop(w, { tool: "refund" });
      return runTool(binding, undefined, request, () => void w.ran.push({ tool: "refund", args: {} }));
    });
    expect(answer).toMatchObject({ denied: true, rules: ["stop:tool"] });
    expect(w.ran).toEqual([]);
    // It surely did not run, and says so.
    expect(await w.store.callsIn(["failed"], 10)).toHaveLength(1);
  });
});

describe("a call that waits", () => {
  it("is not taken up in another's name by making it again (trap 14)", async () => {
    const w = world();
    const execute = gateTools(sdkTools(w), { binding: { ...w.binding, maxWaitMs: 0 } }).refund.execute as Execute;
    const as = (id: string, toolCallId: string) =>
      inRun(w, { id: "ticket-7", principal: { id } }, () => execute({ amount: 200 }, { toolCallId }));
    expect(await as("alice", "one")).toMatchObject({ status: "pending" });
    await (await w.nextPaused()).approve();
    expect(await as("mallory", "two")).toMatchObject({ denied: true });
    expect(w.ran).toEqual([]);
    expect(await as("alice", "three")).toEqual({ refunded: 200 });
  });
});

describe("calls under way", () => {
  it("are looked after by one watch, however many came and went", async () => {
    let reads = 0;
    const plain = createMemoryStore();
    const store: Store = {
      ...plain,
      row: async (kind, id) => {
        reads++;
        return plain.row(kind, id);
      },
    };
    const call = { agent: "bot", tool: "t", runs: ["r"] };
    for (let n = 0; n < 100; n++) inFlight(store, call, undefined).end();
    const last = inFlight(store, call, undefined);
    while (reads < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    last.end();
    expect(reads).toBe(2);
  });
});
