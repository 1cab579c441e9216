/** Paused calls on a store in a directory, for whichever process takes them up; the effect of each is a line in its file. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Answer, createGate, decideApproval, type JsonObject, type Store } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom } from "@saferun/store";

export type Scenario = "approve" | "edit" | "deny" | "expire";

const policies = (within: string): string => `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { refund: { kind: write } }
routes: { default: { within: ${within} } }
rules: [{ id: refund.ask, tool: refund, then: pause, approval: { editable: [amount] } }]
`;

export interface Effects {
  /** Around the effect, at the tool. */
  before?(): Promise<void>;
  after?(): Promise<void>;
}

export const storeIn = (directory: string): string => join(directory, "store");

export const effectsOf = (directory: string, call: number): string => join(directory, `effects-${call}`);

/** Each call has a run and an agent of its own, so that none is another's repetition. */
export const runOf = (call: number): string => `run_crash_${call}`;

/** Asks for the same call under the same key, and answers the question as the scenario has it. */
export async function callOnce(
  directory: string,
  store: Store,
  scenario: Scenario,
  call: number,
  { before, after }: Effects = {},
): Promise<Answer> {
  const text = policies(scenario === "expire" ? "1s" : "10m");
  const loaded = loadPolicies([{ file: "policies.yaml", text }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const paused = ({ id }: { readonly id: string }) => answer(ports, id, scenario);
  const gate = createGate({ ...ports, policies: { current: () => loaded.policies }, notifier: { paused } });
  const run = gate.openRun({ id: runOf(call), agent: `support-${call}`, environment: "prod" });
  return gate.call(run, { tool: "refund", args: { amount: 500 }, key: "k" }, async ({ args }) => {
    await before?.();
    const file = openSync(effectsOf(directory, call), "a");
    writeSync(file, `${JSON.stringify(args)}\n`);
    fsyncSync(file);
    closeSync(file);
    await after?.();
    return "refunded";
  });
}

export async function answer(
  ports: Parameters<typeof decideApproval>[0],
  approval: string,
  scenario: Scenario,
): Promise<void> {
  if (scenario === "expire") return;
  const by = { id: "local:ann", via: "test", verified: false };
  const args: { args?: JsonObject } = scenario === "edit" ? { args: { amount: 450 } } : {};
  await decideApproval(ports, { approval, verdict: scenario === "deny" ? "deny" : "approve", by, ...args });
}
