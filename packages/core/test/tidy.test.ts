import { type BudgetClaim, LOOP_DEFAULTS, STATE_KINDS, tidyState, WITHOUT_LIMITS } from "@saferun/core";
import { expect, it } from "vitest";
import { decision, world } from "./world.ts";

const DAY = 86_400_000;

function spending(window: BudgetClaim["window"]) {
  const pause = { id: "budget:b", digest: "b", reason: "over", approval: WITHOUT_LIMITS.approval };
  const claim: BudgetClaim = {
    budget: "b",
    digest: "b",
    unit: "calls",
    key: [],
    window,
    limit: 100n,
    over: "deny",
    amount: 1n,
    pause,
    span: { file: "p.yaml", line: 1, column: 1 },
  };
  return world({
    policies: () => ({
      revision: "r1",
      evaluate: () => decision("allow"),
      explain: () => decision("allow"),
      kind: () => "write",
      declares: () => true,
      boundPaths: () => [],
      bound: (_tool, args) => args,
      ...WITHOUT_LIMITS,
      traits: () => ({ kind: "write", identity: ["order"] }),
      detectors: () => LOOP_DEFAULTS,
      budgets: () => [claim],
    }),
    tool: ({ order }) => {
      if (order === "lost") throw new Error("the line broke");
      return order;
    },
  });
}

it("state goes when it can decide nothing any more; what is held and what counts for ever stays", async () => {
  for (const [window, left] of [
    [{ kind: "fixed", ms: 60_000 }, ["hold"]],
    [{ kind: "ever" }, ["hold", "hold", "pot"]],
  ] as const) {
    const w = spending(window);
    expect((await w.call({ order: "A1" })).status).toBe("ran");
    expect((await w.call({ order: "lost" })).status).toBe("threw");
    expect(await tidyState(w)).toBe(0);
    // An act is known to the agent for a day, and then may be done again; to its own run as long as that is.
    w.clock.time += DAY + 1;
    expect(await tidyState(w)).toBeGreaterThan(0);
    const acts = await w.store.rows({ kind: "act", limit: 10 });
    expect(acts.filter(({ id }) => !id.startsWith('["run",'))).toEqual([]);
    w.clock.time += 63 * DAY;
    await tidyState(w);
    const rows = await Promise.all(STATE_KINDS.map((kind) => w.store.rows({ kind, limit: 10 })));
    expect(rows.flat().map(({ kind }) => kind)).toEqual(left);
    expect(await tidyState(w)).toBe(0);
    expect((await w.call({ order: "A1" })).status).toBe("ran");
  }
});
