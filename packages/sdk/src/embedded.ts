/** The embedded gate: policies from files, the store of a directory, people told through `onPause`. */
import { resolve } from "node:path";
import {
  alarmLines,
  createGate,
  createOutbox,
  type Decision,
  type DecisionPorts,
  type Notifier,
  type OwnPlaces,
  type Policies,
  type PolicySet,
  protecting,
  type Recovered,
  recover,
  SafeRunError,
  type Signer,
  type Store,
  type Transaction,
  toLookAt,
  unsealedReads,
  validating,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { intlZones, type Policy } from "@saferun/document";
import {
  applyRetention,
  type CheckpointedStore,
  createCheckpointer,
  createFileSigner,
  type Installation,
  installation,
  nodeClock,
  nodeHash,
  nodeRandom,
  openSqliteStore,
  openStoreKeys,
  parseAnchors,
  type StoreKeys,
  signingKeyPath,
} from "@saferun/store";
import type { Binding } from "./binding.ts";
import { type Indexing, indexStore } from "./indexing.ts";
import { mirror } from "./mirror.ts";
import type { CheckedOptions } from "./options.ts";
import { pausedCall } from "./paused-call.ts";
import { session } from "./re-execute.ts";
import { Redacting } from "./redacting.ts";
import { type Reload, reloadingPolicies } from "./reload.ts";
import { type Retain, type Sweeping, stopSweeping, sweepStore } from "./sweeping.ts";
import { NO_TOOLS, type ToolDefinitions } from "./tool-definitions.ts";

/** The default path, below the working directory. */
const DIRECTORY = ".saferun";

interface OpenStore {
  /** Commits only after the start's repairs: nothing runs beside calls of which nobody knows the outcome. Opens what is sealed. */
  readonly store: Store;
  /** What its commits mask. */
  readonly redacting: Redacting;
  close(): Promise<void>;
  /** Absent where the store is not ours. */
  readonly indexing?: Indexing;
  /** Signs the head of the log; absent where the store is not ours. */
  sign?(): Promise<void>;
  /** Takes out what is old. */
  readonly retain: Retain;
}

/** Directory → its store: one opening a process, whatever the number of wraps. */
const open = new Map<string, OpenStore>();
const given = new WeakMap<Store, OpenStore>();
const numbers = new WeakMap<Policy, number>();
let policiesSeen = 0;
/** Store, or its directory → the policies that are followed for it: wraps of the same files share them. */
const followed = new Map<string | Store, Map<string, Reload>>();

/**
 * @throws SafeRunError for policies that are missing or invalid, and for a store that cannot be opened: nothing is
 * wrapped by halves.
 */
export function embed(given: CheckedOptions, tools: ToolDefinitions = NO_TOOLS): Binding {
  // What is re-executed is answered from a record, and leaves none.
  const under = session();
  const options = { ...given, store: under?.store ?? given.store };
  const none = options.policies.length === 0 && options.built.length === 0;
  const inForce = none ? { current: () => NO_POLICIES } : follow(options, tools);
  if (inForce.current().observes(options.environment)) warn(observedText(options.environment));
  const { store, redacting, indexing, retain } = openOrForget(options.store);
  indexing?.follow(inForce);
  redacting.add(options.redact);
  const policies = validating(protecting(inForce, ownPlaces(options)), tools.validators);
  const ports: DecisionPorts = {
    ...{ store, clock: nodeClock, hash: nodeHash, random: nodeRandom },
    foresee: (approval, edited) => gate.foresee(approval, edited),
  };
  const sweeping = sweepStore(ports, warn, retain);
  sweeping.keeping(options.retention);
  const notifier = notifierOf(options, ports, sweeping);
  const gate = createGate({
    ...ports,
    policies,
    notifier,
    outbox: createOutbox(policies),
    zones: intlZones,
    redactor: redacting,
    quota: options.quota,
  });
  const { agent, environment, owner, maxWaitMs, facts, prices } = options;
  const patience = maxWaitMs === undefined ? {} : { maxWaitMs };
  const follows = none ? "" : JSON.stringify([options.policies, options.built.map(numberOf), options.mode]);
  return {
    gate,
    store,
    hash: nodeHash,
    random: nodeRandom,
    agent,
    environment,
    owner,
    ...patience,
    facts,
    prices,
    follows,
    warn,
    ...(under === undefined ? {} : { session: under }),
  };
}

/** Waits for what was accepted, signs it, and releases every store that SafeRun has opened in this process. */
export async function shutdown(): Promise<void> {
  for (const place of followed.keys()) forget(place);
  const stores = [...open.values()];
  open.clear();
  process.off("beforeExit", signAll);
  await stopSweeping();
  await Promise.all(stores.map((store) => store.close()));
}

/** What an agent may not touch, whatever the policies say: its policies, the record, and what SafeRun knows of this machine. */
function ownPlaces({ policies, store }: CheckedOptions): OwnPlaces {
  const directory = process.cwd();
  const files = policies.map((path) => resolve(directory, path.split(/[*?[{]/)[0] ?? path));
  const record = typeof store === "object" ? [] : [resolve(store ?? DIRECTORY), installation().directory];
  // A glob that begins in the working directory itself would make all of it the gate's own.
  return { base: directory, paths: [...files.filter((file) => file !== directory), ...record] };
}

/** Files that were followed before stand by their last good set, whatever is on disk now. */
function follow({ policies, built, mode, store }: CheckedOptions, tools: ToolDefinitions): Policies {
  const place = placeOf(store);
  const directory = process.cwd();
  const knownTools = tools.names.toSorted();
  const toolSchemas = tools.schemas;
  const key = JSON.stringify([directory, policies, built.map(numberOf), mode, knownTools, toolSchemas]);
  const reloads = followed.get(place) ?? new Map<string, Reload>();
  const known = reloads.get(key);
  if (known !== undefined) return known;
  for (const left of tools.unchecked) warn(left);
  const reload = reloadingPolicies({
    source: { paths: policies, directory, built, mode, hash: nodeHash, knownTools, toolSchemas, warn },
    record: async (entry) => openedAt(place)?.store.commit({ entries: [entry] }),
    random: nodeRandom,
  });
  followed.set(place, reloads.set(key, reload));
  return reload;
}

/** Two policies in TypeScript are the same only if they are one object: they may hold functions. */
function numberOf(built: Policy): number {
  const number = numbers.get(built) ?? ++policiesSeen;
  numbers.set(built, number);
  return number;
}

function forget(place: string | Store): void {
  for (const reload of followed.get(place)?.values() ?? []) reload.close();
  followed.delete(place);
}

/** Where a store cannot be opened nothing is wrapped, so that nobody needs its policies. */
function openOrForget(where: CheckedOptions["store"]): OpenStore {
  try {
    return openStore(where);
  } catch (error) {
    forget(placeOf(where));
    throw error;
  }
}

function openedAt(place: string | Store): OpenStore | undefined {
  return typeof place === "string" ? open.get(place) : given.get(place);
}

function placeOf(where: CheckedOptions["store"]): string | Store {
  return typeof where === "object" ? where : resolve(where ?? DIRECTORY);
}

const NOT_LOADED: Decision = {
  verdict: "deny",
  by: ["policy.missing"],
  reason: "No policy is loaded.",
  revision: "",
  rules: [],
  pauses: [],
};

/** For models alone: their prompts and what they cost are recorded, nothing is stopped, and no tool is asked about. */
const NO_POLICIES: PolicySet = {
  revision: "",
  evaluate: () => NOT_LOADED,
  explain: () => NOT_LOADED,
  kind: () => "destructive",
  declares: () => false,
  boundPaths: () => [],
  bound: () => null,
  ...WITHOUT_LIMITS,
  observes: () => true,
};

function openStore(where: CheckedOptions["store"]): OpenStore {
  const place = placeOf(where);
  const known = openedAt(place);
  if (known !== undefined) return known;
  if (typeof place === "string") return openDirectory(place, where === undefined);
  const repairedStore = repaired(place, async () => {});
  const opened = { ...repairedStore, retain: retaining(repairedStore.written) };
  given.set(place, opened);
  return opened;
}

/** What lies at the default path may have come with the project: it must be of this installation. */
function openDirectory(directory: string, isDefault: boolean): OpenStore {
  const own = installation();
  const store = openSqliteStore({ directory, onAlarm: warn, ...(isDefault ? { installation: own } : {}) });
  const signer = createFileSigner(signingKeyPath(directory));
  const keys = openStoreKeys(directory);
  const anchors = parseAnchors(process.env.SAFERUN_ANCHORS ?? "");
  const signed = createCheckpointer(store, signer, { installation: own, anchors, onError: checkpointFailed });
  if (open.size === 0) process.on("beforeExit", signAll);
  const indexing = indexStore(directory, warn);
  const close = async (): Promise<void> => {
    await indexing.close();
    await signed.close();
    keys.close();
  };
  const repairedStore = repaired(signed, close, keys);
  const retain = retaining(repairedStore.written, { directory, signed, signer, installation: own });
  const opened = { ...repairedStore, retain, indexing, sign: () => signed.checkpoint() };
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

/**
 * A failed repair is tried again with the next commit, and until one succeeds there is no commit. `store` opens what is
 * sealed to who reads it; `written` holds what the log does.
 */
function repaired(store: Store, close: () => Promise<void>, keys?: StoreKeys) {
  const redacting = new Redacting(keys === undefined ? undefined : { sealer: keys, log: store.logId });
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
    try {
      await prepare();
      return await store.commit(redacting.transaction(transaction, nodeRandom));
    } catch (error) {
      // A call that is denied for it says so to the agent; who has to act is at the terminal.
      if (error instanceof SafeRunError && error.code === "record.restored") warn(error.message);
      throw error;
    }
  };
  const written = replacing(store, { commit });
  const view = keys === undefined ? written : replacing(store, { commit, ...unsealedReads(store, keys) });
  return { store: view, written, redacting, close };
}

/** Through the gate's own commits; an archive signs, so that it needs the checkpointer too. */
function retaining(
  store: Store,
  own?: {
    readonly directory: string;
    readonly signed: CheckpointedStore;
    readonly signer: Signer;
    readonly installation: Installation;
  },
): Retain {
  return async ({ keepMs, archive }) => {
    if (keepMs === null) return;
    const signing = own === undefined ? undefined : { ...own.signed, commit: store.commit };
    const done = await applyRetention(store, {
      keepMs,
      now: nodeClock.now(),
      by: "saferun:retention",
      ...(own === undefined ? {} : { directory: own.directory, installation: own.installation }),
      ...(archive === undefined || own === undefined || signing === undefined
        ? {}
        : { archive: { to: resolve(archive), signer: own.signer, store: signing } }),
    });
    if (done.heldBy !== undefined) warn(`the record is archived no further: ${done.heldBy}`);
  };
}

function tellUnknown(recovered: Recovered): void {
  for (const line of toLookAt(recovered)) warn(line);
}

/** The store as it is at any time, but for these. */
function replacing(store: Store, own: Partial<Store>): Store {
  const bound = (value: unknown): unknown => (typeof value === "function" ? value.bind(store) : value);
  return mirror(store, {
    inherited: true,
    see: (key, value) => (Object.hasOwn(own, key) ? Reflect.get(own, key) : bound(value)),
  });
}

/** Telling people is not deciding: whatever happens here is said once and changes nothing. */
function notifierOf({ onPause, onAlarm }: CheckedOptions, ports: DecisionPorts, sweeping: Sweeping): Notifier {
  return {
    alarmed: async (alarm) => {
      sweeping.hurry();
      try {
        if (onAlarm !== undefined) {
          await onAlarm(alarm);
          return;
        }
      } catch (error) {
        warn(`\`onAlarm\` failed: ${error instanceof Error ? error.message : String(error)}`);
      }
      for (const line of alarmLines(alarm)) warn(line);
    },
    paused: async (approval) => {
      sweeping.asked(approval.id);
      await onPause?.(pausedCall(approval, ports));
    },
    failed: (approval, error) => {
      const text = error instanceof Error ? error.message : String(error);
      warn(
        `\`onPause\` failed for ${approval.id}, which waits for an answer all the same (\`npx saferun approvals\` takes it): ${text}`,
      );
    },
  };
}

/** Texts that were said already; beyond this many the oldest may be said once more. */
const MOST_WARNED = 1_000;
const warned = new Set<string>();

/** Looks like a gate from outside: whoever forgot it must read it somewhere. */
function observedText(environment: string): string {
  return `the policies only observe \`${environment}\`: calls are decided and recorded, and no rule stops one; \`mode: "enforce"\` makes them bind`;
}

/** Once for each text. Errors and policies bring text of others along: it reaches the terminal without its control characters. */
function warn(message: string): void {
  const text = message.replace(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, " ");
  if (warned.has(text)) return;
  if (warned.size >= MOST_WARNED) warned.clear();
  warned.add(text);
  process.emitWarning(text, { type: "SafeRunWarning" });
}
