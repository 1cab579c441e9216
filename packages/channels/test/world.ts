/** A real gate on a store in memory, around one tool that counts: what ran is known at the tool and nowhere else. */
import {
  type Answer,
  APPROVAL_SOURCE,
  type ApprovalRecord,
  type Clock,
  createGate,
  createOutbox,
  type DecisionPorts,
  type Gate,
  type JsonObject,
  type JsonSchema,
  type Run,
  type Store,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { createMemoryStore, nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import type { PausedApproval } from "../src/channel.ts";

export const DEADLINE_MS = 600_000;

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
# A run may wait for a person longer than it may work.
breakers:
  caps: { minutes: 600 }
routes:
  default: { to: [cli], within: 10m }
  finance: { to: [cli], within: 10m, roles: [finance] }
  two: { to: [cli], within: 10m, need: 2 }
  patient: { to: [cli], within: 4h }
tools:
  refund: { kind: write, units: { fee: usd_cents } }
  mail: { kind: write }
  wire: { kind: write }
  pay: { kind: write }
  credit: { kind: write, recipients: [to] }
rules:
  - id: refund.ask
    tool: refund
    when: args.amount <= 1000
    then: pause
    approval: { route: default, show: [args.amount], editable: [args.amount, args.reason, args.lines] }
    reason: Refunds need a person.
  - id: refund.limit
    tool: refund
    when: args.amount > 1000
    then: deny
    reason: Refunds over 1000 are not made by agents.
  - { id: pay.ask, tool: pay, then: pause, approval: { route: patient, editable: [args.amount] } }
  - { id: credit.ask, tool: credit, when: args.amount <= 1000, then: pause, approval: { route: default, editable: [args.amount], grantable: true } }
  - { id: wire.ask, tool: wire, then: pause, approval: { route: two, editable: [args.amount] } }
  - { id: mail.ask, tool: mail, then: pause, approval: { route: finance } }
`;

/** Real time that can be moved on. */
export class MovableClock implements Clock {
  #ahead = 0;
  now(): number {
    return Date.now() + this.#ahead;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return nodeClock.sleep(Math.min(ms, 20), signal);
  }
  moveOn(ms: number): void {
    this.#ahead += ms;
  }
}

export interface World {
  readonly ports: DecisionPorts;
  readonly store: Store;
  readonly clock: MovableClock;
  readonly gate: Gate;
  /** Arguments with which the tool really ran, in order. */
  readonly ran: JsonObject[];
  /** Proposes a call; resolves once it waits for a person. */
  propose(args: JsonObject, options?: Proposing): Promise<Waiting>;
}

interface Proposing {
  readonly tool?: string;
  readonly signal?: AbortSignal;
  /** Default: a run of its own. */
  readonly run?: Run;
}

export interface Waiting extends PausedApproval {
  readonly approval: ApprovalRecord;
  /** What became of the call. */
  readonly answer: Promise<Answer>;
  now(): Promise<ApprovalRecord>;
}

/** `text`: other policies, whose routes are told through the outbox. `toolSchemas`: as a framework gives them. */
export function world(text?: string, toolSchemas: Record<string, JsonSchema> = {}): World {
  const clock = new MovableClock();
  const store = createMemoryStore({ clock });
  const ports: DecisionPorts = {
    ...{ store, clock, hash: nodeHash, random: nodeRandom },
    foresee: (approval, edited) => gate.foresee(approval, edited),
  };
  const loaded = loadPolicies([{ file: "test.yaml", text: text ?? POLICIES }], { hash: nodeHash, toolSchemas });
  if (!loaded.ok) throw new Error(loaded.issues.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  const { policies } = loaded;
  const told = new Map<string, (approval: ApprovalRecord) => void>();
  const gate = createGate({
    ...ports,
    policies: { current: () => policies },
    ...(text === undefined ? {} : { outbox: createOutbox({ current: () => policies }) }),
    notifier: { paused: (approval) => told.get(approval.run)?.(approval) },
  });
  const ran: JsonObject[] = [];
  return {
    ports,
    store,
    clock,
    gate,
    ran,
    async propose(
      args,
      { tool = "refund", signal, run = gate.openRun({ agent: "support", environment: "prod" }) } = {},
    ) {
      const asked = new Promise<ApprovalRecord>((resolve) => told.set(run.id, resolve));
      const answer = gate.call(run, { tool, args, ...(signal === undefined ? {} : { signal }) }, (permit) => {
        ran.push(permit.args);
        return "done";
      });
      const approval = await Promise.race([
        asked,
        answer.then((early) => {
          throw new Error(`not paused: ${JSON.stringify(early)}`);
        }),
      ]);
      return {
        approval,
        answer,
        [APPROVAL_SOURCE]: { approval, ports },
        async now() {
          const current = await store.approval(approval.id);
          if (current === undefined) throw new Error("the approval is gone");
          return current;
        },
      };
    },
  };
}

/** Until `look` finds something; the test's own time limit ends what never comes. */
export async function eventually<Found>(look: () => Promise<Found | undefined> | Found | undefined): Promise<Found> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await nodeClock.sleep(10);
  }
}
