import { createGate } from "@saferun/core";
import { expect, it } from "vitest";
import { world } from "./world.ts";

it("a run that has recorded what it may runs nothing more, people heard of it before, and the outcome of its last call stands", async () => {
  const at = world();
  const told: unknown[] = [];
  const notifier = { ...at.ports.notifier, alarmed: (alarm: { quotas?: unknown }) => void told.push(alarm.quotas) };
  const quota = { runBytes: 100_000, agentBytesPerDay: 1e9 };
  const gate = createGate({ ...at.ports, notifier, quota });
  const run = gate.openRun({ agent: "bot", environment: "prod" });
  let ran = 0;
  const call = (bytes: number) =>
    gate.call(run, { tool: "refund", args: { amount: 1, note: `${ran}` } }, () => {
      ran++;
      return "x".repeat(bytes);
    });
  expect((await call(60_000)).status).toBe("ran");
  expect(told).toEqual([]);
  expect((await call(18_000)).status).toBe("ran");
  // Its result goes over the quota, and is recorded all the same.
  expect((await call(60_000)).status).toBe("ran");
  expect(await call(1)).toMatchObject({
    denial: { status: "unavailable", rules: ["record.quota"], reason: expect.stringContaining("as much as it may") },
  });
  expect(ran).toBe(3);
  expect((await at.log()).filter((type) => type === "call.finished")).toHaveLength(3);
  expect(told).toEqual([[{ scope: "run", name: run.id, percent: 80, limit: 100_000 }]]);
  const other = gate.openRun({ agent: "bot", environment: "prod" });
  expect((await gate.call(other, { tool: "refund", args: { amount: 1 } }, () => 1)).status).toBe("ran");
});
