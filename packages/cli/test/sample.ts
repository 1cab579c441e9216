/** A store with real data in it, made by the gate itself; for the tests of the commands. */
import { type Clock, createGate, type Gate, type Permit, type Policies, type Run, type Store } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import {
  createCheckpointer,
  createFileSigner,
  nodeClock,
  nodeHash,
  nodeRandom,
  openSqliteStore,
  signingKeyPath,
} from "@saferun/store";

export const POLICY = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
  dev: { unmatched: { read: allow } }
routes:
  default: { within: 1h }
  quick: { within: 1s }
tools:
  stripe.refund: { kind: destructive }
  orders.get: { kind: read }
  mail.send: { kind: write }
rules:
  - id: orders-read
    tool: orders.get
    then: allow
  - id: refund-small
    tool: stripe.refund
    when: args.amount >= 0 && args.amount <= 5000
    then: allow
  - id: refund-large
    tool: stripe.refund
    when: args.amount > 5000 && args.amount < 1000000
    then: pause
    approval: { show: [args.amount], editable: [args.amount, args.metadata.reason] }
    reason: refunds over 50.00 need a person
  - id: mail-quick
    tool: mail.send
    then: pause
    approval: { route: quick }
    reason: every mail is looked at
budgets:
  - id: refunds
    tool: stripe.refund
    sum: args.amount
    unit: usd_cents
    per: { key: [agent], window: ever }
    limit: 1000000
`;

export interface Sample {
  readonly store: Store;
  readonly gate: Gate;
  readonly run: Run;
  /** Arguments that the tools were really called with. */
  readonly ran: { readonly tool: string; readonly args: unknown }[];
  execute(permit: Permit): unknown;
}

/** Opens (or makes) the store of a directory with a gate on it. */
export function openSample(directory: string, clock: Clock = nodeClock, text = POLICY): Sample {
  const loaded = loadPolicies([{ file: "policies.yaml", text }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const policies: Policies = { current: () => loaded.policies };
  const sqlite = openSqliteStore({ directory, clock });
  const store = createCheckpointer(sqlite, createFileSigner(signingKeyPath(directory)));
  const gate = createGate({
    store,
    policies,
    clock,
    hash: nodeHash,
    random: nodeRandom,
    notifier: { paused: () => {} },
  });
  const ran: { tool: string; args: unknown }[] = [];
  return {
    store,
    gate,
    ran,
    run: gate.openRun({ agent: "support", environment: "prod", prompt: ["Refund order 17, please."] }),
    execute: (permit) => {
      ran.push({ tool: permit.tool, args: permit.args });
      return { ok: true };
    },
  };
}

/** Resolves with the id of the approval that the gate waits for. */
export async function pendingApproval(store: Store, tool: string): Promise<string> {
  for (;;) {
    const waiting = (await store.approvals({ state: "pending", limit: 100 })).find(
      (approval) => approval.tool === tool,
    );
    if (waiting !== undefined) return waiting.id;
    await nodeClock.sleep(5);
  }
}
