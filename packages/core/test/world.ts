/** A gate with everything around it in memory: a clock that only moves when somebody sleeps, a tool that counts. */
import {
  type Answer,
  type ApprovalRecord,
  type CallRequest,
  type Clock,
  createGate,
  type Decision,
  decideApproval,
  type EvaluationContext,
  type Gate,
  type GatePorts,
  type JsonObject,
  type Outbox,
  type PauseReason,
  type PolicySet,
  type Run,
  type Store,
  type StoredEntry,
  type ToolCall,
  type Verdict,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { createMemoryStore, nodeHash, nodeRandom } from "@saferun/store";

/** Sleeping moves it on, after every task that is already waiting has had its turn. */
export class VirtualClock implements Clock {
  time = 1_000_000;
  now(): number {
    return this.time;
  }
  async sleep(ms: number): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.time += ms;
  }
}

export type Judge = (call: ToolCall, context: EvaluationContext) => Decision;

const TERMS: PauseReason["approval"] = {
  route: "default",
  to: ["dashboard"],
  roles: ["approver"],
  need: 1,
  withinMs: 60_000,
  show: [],
  editable: ["amount"],
};

export function decision(verdict: Verdict, rule: string = verdict, change: Partial<Decision> = {}): Decision {
  const pauses = verdict === "pause" ? [{ id: rule, digest: `digest of ${rule}`, reason: "ask", approval: TERMS }] : [];
  return { verdict, by: [rule], reason: `${rule} says ${verdict}`, revision: "r1", rules: [], pauses, ...change };
}

/** Up to 100 allow, up to 1000 ask, above deny. */
export const byAmount: Judge = (call) => {
  const amount = Number(call.args.amount);
  return amount <= 100 ? decision("allow") : amount <= 1_000 ? decision("pause") : decision("deny");
};

export interface World {
  readonly gate: Gate;
  /** Of `gate`: for another one on the same store. */
  readonly ports: GatePorts;
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly run: Run;
  /** What the tool was really run with, in order. */
  readonly ran: JsonObject[];
  readonly paused: ApprovalRecord[];
  call(args: unknown, request?: Partial<CallRequest>): Promise<Answer>;
  decide(verdict: "approve" | "deny", args?: unknown, id?: string): ReturnType<typeof decideApproval>;
  /** Types of all entries, in order. */
  log(): Promise<string[]>;
}

export interface WorldOptions {
  readonly judge?: Judge;
  /** In force at each moment; instead of `judge`. */
  readonly policies?: () => PolicySet;
  /** What the host states about the run. */
  readonly context?: JsonObject;
  readonly store?: Store;
  readonly clock?: VirtualClock;
  readonly onPause?: (approval: ApprovalRecord) => void | Promise<void>;
  readonly tool?: (args: JsonObject) => unknown;
  readonly outbox?: Outbox;
}

export function world(options: WorldOptions = {}): World {
  const clock = options.clock ?? new VirtualClock();
  const store = options.store ?? createMemoryStore({ clock });
  const judge = options.judge ?? byAmount;
  const policies: PolicySet = {
    revision: "r1",
    evaluate: judge,
    explain: judge,
    kind: () => "write",
    declares: () => true,
    boundPaths: () => [],
    bound: (_tool, args) => args,
    ...WITHOUT_LIMITS,
  };
  const ran: JsonObject[] = [];
  const paused: ApprovalRecord[] = [];
  const notifier = {
    paused(approval: ApprovalRecord): void | Promise<void> {
      paused.push(approval);
      return options.onPause?.(approval);
    },
  };
  const ports: GatePorts = {
    store,
    clock,
    notifier,
    hash: nodeHash,
    random: nodeRandom,
    policies: { current: options.policies ?? (() => policies) },
    ...(options.outbox === undefined ? {} : { outbox: options.outbox }),
  };
  const gate = createGate(ports);
  const run = gate.openRun({ agent: "bot", environment: "prod", context: options.context ?? {} });
  return {
    gate,
    ports,
    store,
    clock,
    run,
    ran,
    paused,
    call: (args, request = {}) =>
      gate.call(run, { tool: "refund", args, ...request }, (permit) => {
        ran.push(structuredClone(permit.args));
        return options.tool?.(permit.args) ?? "done";
      }),
    decide(verdict, args, id) {
      const approval = id === undefined ? paused.at(-1) : paused.find((one) => one.id === id);
      if (approval === undefined) throw new Error("nothing is paused");
      const by = { id: "local:ana", via: "test", verified: false };
      return decideApproval(
        { store, clock, hash: nodeHash, random: nodeRandom },
        { approval: approval.id, verdict, by, ...(args === undefined ? {} : { args }) },
      );
    },
    async log() {
      const entries = await store.entries({ from: 0, limit: 1_000 });
      return entries.map((entry) => String(headerOf(entry).type));
    },
  };
}

export function headerOf(entry: StoredEntry): JsonObject {
  return JSON.parse(new TextDecoder().decode(entry.header)) as JsonObject;
}

/** Until a question has been asked. */
export async function asked(where: World, count = 1): Promise<ApprovalRecord> {
  for (let turn = 0; turn < 1_000; turn++) {
    const approval = where.paused[count - 1];
    if (approval !== undefined) return approval;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("nothing was asked");
}
