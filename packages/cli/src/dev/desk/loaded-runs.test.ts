import { allSteps, createGate, erase, type ToolStep } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { createMemoryStore, nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { expect, it } from "vitest";
import { loadedRuns } from "./loaded-runs.ts";

const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: { read: allow } } }
tools: { orders.get: { kind: read } }
`;

it("keeps the run that was read last while the log says nothing else of it", async () => {
  const store = createMemoryStore();
  const loaded = loadPolicies([{ file: "policies.yaml", text: POLICY }], { hash: nodeHash });
  if (!loaded.ok) throw new Error("the policies do not load");
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const gate = createGate({ ...ports, notifier: { paused() {} }, policies: { current: () => loaded.policies } });
  const [one, other] = [1, 2].map(() => gate.openRun({ agent: "bot", environment: "prod" }));
  if (one === undefined || other === undefined) throw new Error("no runs");
  const call = (run: typeof one, order: string) =>
    gate.call(run, { tool: "orders.get", args: { order } }, () => ({ order }));
  await call(one, "secret-1");
  await call(other, "2");

  const load = loadedRuns(store);
  const [first, twice] = await Promise.all([load(one.id), load(one.id)]);
  expect(twice).toBe(first);
  await call(other, "3");
  expect(await load(one.id)).toBe(first);

  await call(one, "4");
  const grown = await load(one.id);
  expect(allSteps(grown?.tree.steps ?? [])).toHaveLength(2);
  const call1 = first?.tree.steps[0] as ToolStep;
  await erase(store, { target: { call: call1.call }, reason: "asked for", by: "ann" }, ports);
  const erased = (await load(one.id))?.tree.steps[0] as ToolStep;
  expect(erased.arguments.proposed).toEqual({ state: "erased" });
  expect(await load("none")).toBeUndefined();
});
