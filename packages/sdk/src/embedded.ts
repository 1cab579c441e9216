/** The embedded gate: policies from files, the store of a directory, people told through `onPause`. */
import { resolve } from "node:path";
import {
  createGate,
  type Decision,
  type DecisionPorts,
  type Notifier,
  type PolicySet,
  type Recovered,
  recover,
  type Store,
  type Transaction,
} from "@saferun/core";
import {
  createCheckpointer,
  createFileSigner,
  installation,
  nodeClock,
  nodeHash,
  nodeRandom,
  openSqliteStore,
  signingKeyPath,
} from "@saferun/store";
import type { Binding } from "./binding.ts";
import { mirror } from "./mirror.ts";
import type { CheckedOptions } from "./options.ts";
import { pausedCall } from "./paused-call.ts";
import { readPolicies } from "./policies.ts";

/** The default path, below the working directory. */
const DIRECTORY = ".saferun";

interface OpenStore {
  /** Commits only after the start's repairs: nothing runs beside calls of which nobody knows the outcome. */
  readonly store: Store;
  close(): Promise<void>;
  /** Signs the head of the log; absent where the store is not ours. */
  sign?(): Promise<void>;
}

/** Directory → its store: one opening a process, whatever the number of wraps. */
const open = new Map<string, OpenStore>();
const given = new WeakMap<Store, OpenStore>();

/**
 * @throws SafeRunError for policies that are missing or invalid, and for a store that cannot be opened: nothing is
 * wrapped by halves.
 */
export function embed(options: CheckedOptions, knownTools: readonly string[] = []): Binding {
  const policies = options.policies.length === 0 ? NO_POLICIES : loadedPolicies(options, knownTools);
  const { store } = openStore(options.store);
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const gate = createGate({ ...ports, policies: { current: () => policies }, notifier: notifierOf(options, ports) });
  const { agent, environment, facts } = options;
  return { gate, store, hash: nodeHash, random: nodeRandom, agent, environment, facts, warn };
}

/** Waits for what was accepted, signs it, and releases every store that SafeRun has opened in this process. */
export async function shutdown(): Promise<void> {
  const stores = [...open.values()];
  open.clear();
  process.off("beforeExit", signAll);
  await Promise.all(stores.map((store) => store.close()));
}

function loadedPolicies({ policies, mode }: CheckedOptions, knownTools: readonly string[]): PolicySet {
  return readPolicies({ paths: policies, directory: process.cwd(), mode, hash: nodeHash, knownTools, warn });
}

const NOT_LOADED: Decision = {
  verdict: "deny",
  by: ["policy.missing"],
  reason: "No policy is loaded.",
  revision: "",
  rules: [],
  pauses: [],
};

/** For models alone: their prompts are recorded, and no tool is asked about. */
const NO_POLICIES: PolicySet = {
  revision: "",
  evaluate: () => NOT_LOADED,
  explain: () => NOT_LOADED,
  kind: () => "destructive",
  declares: () => false,
};

function openStore(where: CheckedOptions["store"]): OpenStore {
  if (typeof where === "object") {
    const known = given.get(where) ?? repaired(where, async () => {});
    given.set(where, known);
    return known;
  }
  const directory = resolve(where ?? DIRECTORY);
  const known = open.get(directory);
  if (known !== undefined) return known;
  const own = installation();
  // What lies at the default path may have come with the project: it must be of this installation.
  const store = openSqliteStore({ directory, ...(where === undefined ? { installation: own } : {}) });
  const signer = createFileSigner(signingKeyPath(directory));
  const signed = createCheckpointer(store, signer, { installation: own, onError: checkpointFailed });
  if (open.size === 0) process.on("beforeExit", signAll);
  const opened = { ...repaired(signed, () => signed.close()), sign: () => signed.checkpoint() };
  open.set(directory, opened);
  return opened;
}

/** An idle process signs what it has recorded before it ends. The stores stay open: other handlers may still use them. */
function signAll(): void {
  for (const { sign } of open.values()) sign?.().catch(checkpointFailed);
}

/** Nothing is lost by it: the entries are durable, and the next checkpoint covers them. */
function checkpointFailed(error: unknown): void {
  warn(`the record's head could not be signed: ${error instanceof Error ? error.message : String(error)}`);
}

/** A failed repair is tried again with the next commit, and until one succeeds there is no commit. */
function repaired(store: Store, close: () => Promise<void>): OpenStore {
  let repair: Promise<unknown> | undefined;
  const prepare = (): Promise<unknown> => {
    repair ??= recover(store, nodeClock).then(tellUnknown, (error: unknown) => {
      repair = undefined;
      throw error;
    });
    return repair;
  };
  prepare().catch(() => undefined);
  const commit = async (transaction: Transaction): Promise<Awaited<ReturnType<Store["commit"]>>> => {
    await prepare();
    return store.commit(transaction);
  };
  const view = mirror(store, {
    inherited: true,
    see: (key, value) => (key === "commit" ? commit : bound(value, store)),
  });
  return { store: view, close };
}

function tellUnknown({ unknown }: Recovered): void {
  if (unknown.length === 0) return;
  const calls = unknown.join(", ");
  warn(`calls were running when their process ended, and nobody knows whether their tools acted: ${calls}`);
}

function bound(value: unknown, store: Store): unknown {
  return typeof value === "function" ? value.bind(store) : value;
}

/** Telling people is not deciding: whatever happens here is said once and changes nothing. */
function notifierOf({ onPause }: CheckedOptions, ports: DecisionPorts): Notifier {
  return {
    paused: async (approval) => {
      await onPause?.(pausedCall(approval, ports));
    },
    failed: (approval, error) => {
      const text = error instanceof Error ? error.message : String(error);
      warn(`\`onPause\` failed for ${approval.id}, which waits for an answer all the same: ${text}`);
    },
  };
}

const warned = new Set<string>();

/** Once for each text. */
function warn(message: string): void {
  if (warned.has(message)) return;
  warned.add(message);
  process.emitWarning(message, { type: "SafeRunWarning" });
}
