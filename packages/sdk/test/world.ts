/** A gate in memory around counted tools: what ran, with which arguments, is known at the tool and nowhere else. */
import {
  type ApprovalRecord,
  type Clock,
  createGate,
  type JsonObject,
  type PolicySet,
  parseHeader,
  type Store,
  type StoredEntry,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { createMemoryStore, nodeHash, nodeRandom } from "@saferun/store";
import type { Binding } from "../src/binding.ts";
import { type PausedCall, pausedCall } from "../src/paused-call.ts";
import { checkFacts, type RunFacts } from "../src/run-facts.ts";

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

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
routes:
  default: { to: [cli], within: 10m }
tools:
  lookup: { kind: read }
  refund: { kind: write }
  explode: { kind: write }
rules:
  - { id: lookup.any, tool: lookup, then: allow }
  - { id: explode.any, tool: explode, then: allow }
  - id: refund.small
    tool: refund
    when: args.amount <= 100
    then: allow
  - id: refund.ask
    tool: refund
    when: args.amount > 100
    then: pause
    approval: { route: default, editable: [amount] }
    reason: Refunds over 100 need a person.
  - id: refund.limit
    tool: refund
    when: args.amount > 1000
    then: deny
    reason: Refunds over 1000 are not made by agents.
    fix: Hand the case over to finance.
`;

export function policySet(text: string = POLICIES): PolicySet {
  const loaded = loadPolicies([{ file: "test.yaml", text }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(loaded.issues.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  return loaded.policies;
}

export interface Ran {
  readonly tool: string;
  readonly args: JsonObject;
}

export interface World {
  readonly binding: Binding;
  readonly store: Store;
  readonly clock: VirtualClock;
  /** What really ran, in order. */
  readonly ran: Ran[];
  readonly paused: PausedCall[];
  readonly warnings: string[];
  /** Resolves with the next paused call that nobody has taken yet. */
  nextPaused(): Promise<PausedCall>;
  entries(): Promise<readonly StoredEntry[]>;
}

export interface WorldOptions {
  readonly policies?: PolicySet;
  readonly store?: Store;
  readonly onPause?: (call: PausedCall) => unknown;
  readonly agent?: string;
  readonly environment?: string;
  readonly facts?: RunFacts;
}

export function world(options: WorldOptions = {}): World {
  const clock = new VirtualClock();
  const store = options.store ?? createMemoryStore({ clock });
  const policies = options.policies ?? policySet();
  const ports = { store, clock, hash: nodeHash, random: nodeRandom };
  const paused: PausedCall[] = [];
  const warnings: string[] = [];
  let taken = 0;
  const notifier = {
    async paused(approval: ApprovalRecord): Promise<void> {
      const call = pausedCall(approval, ports);
      paused.push(call);
      await options.onPause?.(call);
    },
    failed: (_: ApprovalRecord, error: unknown) => void warnings.push(String(error)),
  };
  const gate = createGate({ ...ports, policies: { current: () => policies }, notifier });
  const facts = checkFacts(options.facts ?? {});
  return {
    binding: {
      gate,
      store,
      hash: nodeHash,
      random: nodeRandom,
      agent: options.agent,
      environment: options.environment ?? "prod",
      facts: () => facts,
      warn: (message) => void warnings.push(message),
    },
    store,
    clock,
    ran: [],
    paused,
    warnings,
    async nextPaused() {
      for (;;) {
        const call = paused[taken];
        if (call !== undefined) {
          taken++;
          return call;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    entries: () => store.entries({ from: 0, limit: 10_000 }),
  };
}

/** A store whose commits fail from the `nth` on (counted from 1), as with a full disk. */
export function failingStore(store: Store, nth: number, failure: () => Error): Store {
  let commits = 0;
  return {
    ...store,
    async commit(transaction) {
      commits++;
      if (commits >= nth) throw failure();
      return store.commit(transaction);
    },
  };
}

/** Types of entries in order; how a prompt's messages are spread over entries is not the adapters' matter. */
export function typesOf(entries: readonly StoredEntry[]): string[] {
  return entries.map(({ header }) => parseHeader(header).type as string).filter((type) => type !== "model.messages");
}

/** Everything that the record holds, as one text. */
export async function textOf(w: World): Promise<string> {
  const decoder = new TextDecoder();
  const entries = await w.entries();
  return entries.flatMap(({ parts }) => parts.map(({ bytes }) => decoder.decode(bytes ?? undefined))).join("\n");
}
