/** A call that waits for nobody: what a channel is shown when it is tried out. Nothing runs, nothing is kept. */
import {
  APPROVAL_SOURCE,
  type ApprovalRecord,
  type ApprovalSource,
  createGate,
  type DecisionPorts,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { createMemoryStore, nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { failed } from "../exit.ts";

/** Retries end with it. */
export const TRIAL_SECONDS = 10;

const POLICY = `saferun: policy/v1
environments:
  test: { unmatched: deny }
routes:
  trial: { within: ${TRIAL_SECONDS}s }
tools:
  saferun.test: { kind: write }
rules:
  - id: channels.test
    tool: saferun.test
    then: pause
    approval: { route: trial }
    reason: Somebody tries out this channel. There is nothing to decide.
`;

export interface Trial {
  readonly paused: { readonly [APPROVAL_SOURCE]: ApprovalSource };
  /** Withdraws the call, and gives the question as it ended. */
  end(): Promise<ApprovalRecord>;
}

export async function openTrial(): Promise<Trial> {
  const loaded = loadPolicies([{ file: "trial.yaml", text: POLICY }], { hash: nodeHash });
  if (!loaded.ok) throw failed("internal.error", "the trial's own policy does not load");
  const store = createMemoryStore({ clock: nodeClock });
  const ports: DecisionPorts = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const asked = Promise.withResolvers<ApprovalRecord>();
  const gate = createGate({
    ...ports,
    policies: { current: () => loaded.policies },
    notifier: { paused: (approval) => asked.resolve(approval) },
  });
  const stop = new AbortController();
  const run = gate.openRun({ agent: "saferun channels test", environment: "test" });
  const request = { tool: "saferun.test", args: { note: "a test; nothing will run" }, signal: stop.signal };
  const answer = gate.call(run, request, () => undefined);
  const approval = await asked.promise;
  return {
    paused: { [APPROVAL_SOURCE]: { approval, ports } },
    async end() {
      stop.abort();
      await answer;
      return (await store.approval(approval.id)) ?? approval;
    },
  };
}
