/** What `wrap` and its like take. A key or value that is not understood is an error: nothing is guessed, nothing ignored. */
import { userInfo } from "node:os";
import {
  type Alarm,
  ageMs,
  type ByteQuota,
  durationMs,
  LIMITS,
  nearest,
  SafeRunError,
  type Store,
} from "@saferun/core";
import { Policy } from "@saferun/document";
import type { PausedCall } from "./paused-call.ts";
import { createPrices, type Prices, type PriceTable } from "./prices.ts";
import type { RedactOptions } from "./redacting.ts";
import { type CheckedFacts, checkFacts, type RunFacts } from "./run-facts.ts";

export interface WrapOptions {
  /**
   * Policy files: paths and globs (`./policies/*.yaml`), relative to the working directory; and what `policy(…)` built. At
   * least one.
   */
  readonly policies: readonly (string | Policy)[];
  /**
   * Told of each call that waits for a person. It never decides by returning; where it throws or hangs, the call waits on
   * until somebody answers or its time is over.
   */
  readonly onPause?: (call: PausedCall) => unknown;
  /**
   * Told when a breaker opens, closes or stops, and when a budget is half, four fifths or wholly used. It is recorded before.
   * Without this, trips are process warnings.
   */
  readonly onAlarm?: (alarm: Alarm) => unknown;
  /**
   * How long a call waits here for a person: `25s`, or `0` for not at all. Then it is answered in the framework's own form
   * (an approval request of the AI SDK), else with `pending`, and it runs, once, when it is asked again after its approval.
   * Default: until its approval's deadline.
   */
  readonly maxWait?: string | 0;
  /**
   * The principal who answers for the agent: `not: [requester]` keeps them from approving its calls. Default:
   * `local:NAME`, the account of this process.
   */
  readonly owner?: string;
  /** The agent's name in rules and in the record. Default: the agent's own id, else that of the run, else `agent`. */
  readonly agent?: string;
  /** Default: `SAFERUN_ENV`, else `NODE_ENV`, else `prod`; `production` means `prod`, `development` means `dev`. */
  readonly environment?: string;
  /** Facts about each run that no `saferun.run` has opened: an object, or a function that is asked once a run. */
  readonly run?: RunFacts | (() => RunFacts);
  /** Directory of the record, shared by all wraps of a process that name it; or a store. Default `./.saferun`. */
  readonly store?: string | Store;
  /** Prices of models that go before those of the built-in table: `{ "openai:gpt-5": { input: "1.25", output: "10.00" } }`. */
  readonly prices?: PriceTable;
  /** `enforce` makes rules and environments bind that their files only observe. `observe`, the default, leaves them. */
  readonly mode?: "enforce" | "observe";
  /** What the record must not hold. Keys and tokens of well-known services never stand in it. */
  readonly redact?: RedactOptions;
  /** How long the record keeps content: `{ keep: "90d" }`, `{ keep: "forever" }`; with `archive` entries go there whole. */
  readonly retention?: RetentionSetting;
  /** How many bytes of the record a run and an agent may fill; beyond, their calls are denied. Default: `LIMITS`. */
  readonly quota?: Partial<ByteQuota>;
}

/** One for each store: wraps that share one must say the same, or nothing. */
export interface RetentionSetting {
  /** Default `30d`. */
  readonly keep?: string;
  /** A folder to which entries that are old enough are archived with their proofs; without it their content is deleted. */
  readonly archive?: string;
}

/** A model decides nothing: policies may be left out. */
export type ModelOptions = Omit<WrapOptions, "policies"> & Partial<Pick<WrapOptions, "policies">>;

export interface CheckedOptions {
  /** Paths and globs. */
  readonly policies: readonly string[];
  /** Written in TypeScript. */
  readonly built: readonly Policy[];
  readonly onPause: ((call: PausedCall) => unknown) | undefined;
  readonly onAlarm: ((alarm: Alarm) => unknown) | undefined;
  readonly maxWaitMs: number | undefined;
  readonly agent: string | undefined;
  readonly owner: string;
  readonly environment: string;
  readonly facts: () => CheckedFacts;
  readonly store: string | Store | undefined;
  readonly prices: Prices;
  readonly mode: "enforce" | "observe";
  readonly redact: RedactOptions | undefined;
  /** Undefined where nothing was said. */
  readonly retention: CheckedRetention | undefined;
  readonly quota: ByteQuota;
}

export interface CheckedRetention {
  /** Null: for ever. */
  readonly keepMs: number | null;
  readonly archive: string | undefined;
}

export const DEFAULT_RETENTION: CheckedRetention = { keepMs: 30 * 86_400_000, archive: undefined };

/** Their names. */
export const OPTIONS: readonly string[] = [
  "policies",
  "onPause",
  "onAlarm",
  "maxWait",
  "agent",
  "owner",
  "environment",
  "run",
  "store",
  "prices",
  "mode",
  "redact",
  "retention",
  "quota",
];
const LATER: readonly string[] = ["gate"];
const ALIASES: Readonly<Record<string, string>> = { production: "prod", development: "dev" };
const STORE_METHODS = ["commit", "call", "callByKey", "approval", "changeToken", "head", "close"] as const;

/** @throws SafeRunError `option.invalid`, `policy.missing`. */
export function checkOptions(
  options: ModelOptions,
  needs: { readonly policies: boolean },
  variables: Readonly<Record<string, string | undefined>> = process.env,
): CheckedOptions {
  if (typeof options !== "object" || options === null) throw invalid("options must be an object");
  for (const key of Object.keys(options)) {
    if (LATER.includes(key)) throw invalid(`\`${key}\` is not available in this version`);
    if (!OPTIONS.includes(key)) throw invalid(`there is no option \`${key}\`; ${meant(key, OPTIONS)}`);
  }
  const {
    policies,
    onPause,
    onAlarm,
    maxWait,
    agent,
    owner,
    environment,
    run,
    store,
    prices,
    mode = "observe",
    redact,
    retention,
    quota,
  } = options;
  if (onPause !== undefined && typeof onPause !== "function") throw invalid("`onPause` must be a function");
  if (onAlarm !== undefined && typeof onAlarm !== "function") throw invalid("`onAlarm` must be a function");
  if (mode !== "enforce" && mode !== "observe")
    throw invalid(`\`mode\` is \`${String(mode)}\`; it must be \`enforce\` or \`observe\``);
  const facts = checkRun(run);
  return {
    ...checkPolicies(policies, needs.policies),
    onPause,
    onAlarm,
    maxWaitMs: checkMaxWait(maxWait),
    agent: agent === undefined ? undefined : checkName("agent", agent),
    owner: owner === undefined ? localAccount() : checkName("owner", owner),
    environment: environmentOf(environment, variables),
    facts,
    store: checkStore(store),
    prices: createPrices(prices),
    mode,
    redact: checkRedact(redact),
    retention: checkRetention(retention, store),
    quota: checkQuota(quota),
  };
}

const { runBytes, agentBytesPerDay } = LIMITS;

function checkQuota(quota: unknown): ByteQuota {
  if (quota === undefined) return { runBytes, agentBytesPerDay };
  if (typeof quota !== "object" || quota === null) throw invalid("`quota` must be an object");
  const given: Record<keyof ByteQuota, number> = { runBytes, agentBytesPerDay };
  for (const [key, bytes] of Object.entries(quota)) {
    if (!(key === "runBytes" || key === "agentBytesPerDay")) {
      throw invalid(`\`quota\` has no \`${key}\`; there are runBytes, agentBytesPerDay`);
    }
    if (!Number.isSafeInteger(bytes) || bytes <= 0) throw invalid(`\`quota.${key}\` must be a number of bytes above 0`);
    given[key] = bytes;
  }
  return given;
}

function checkPolicies(policies: unknown, needed: boolean): Pick<CheckedOptions, "policies" | "built"> {
  if (policies === undefined && !needed) return { policies: [], built: [] };
  if (policies === undefined || (Array.isArray(policies) && policies.length === 0)) {
    throw new SafeRunError(
      "policy.missing",
      "`policies` names no file: without a policy nothing may run; name at least one, such as `./policies.yaml`",
    );
  }
  const paths: string[] = [];
  const built: Policy[] = [];
  for (const one of Array.isArray(policies) ? (policies as readonly unknown[]) : [undefined]) {
    if (typeof one === "string" && one !== "") paths.push(one);
    else if (one instanceof Policy) built.push(one);
    else throw invalid("`policies` must be a list of paths, and of what `policy(…)` gives");
  }
  return { policies: paths, built };
}

function checkMaxWait(maxWait: unknown): number | undefined {
  if (maxWait === undefined || maxWait === 0) return maxWait;
  const ms = typeof maxWait === "string" ? durationMs(maxWait) : undefined;
  if (ms === undefined) throw invalid("`maxWait` must be a time such as `25s`, or `0`");
  return ms;
}

function localAccount(): string {
  try {
    return `local:${userInfo().username}`;
  } catch {
    // A container may run under a number that has no name.
    return `local:uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** Facts that are given once are checked once, at the start. */
function checkRun(run: unknown): () => CheckedFacts {
  if (run === undefined) return () => checkFacts({});
  if (typeof run === "function") return () => checkFacts(run() as RunFacts);
  const facts = checkFacts(run as RunFacts);
  return () => facts;
}

/** The nearest of the words that there are, or all of them. */
function meant(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? `there are ${words.join(", ")}` : `did you mean \`${near}\`?`;
}

const REDACT_KEYS: readonly string[] = ["secrets", "kinds", "paths"];

function checkRedact(redact: RedactOptions | undefined): RedactOptions | undefined {
  if (redact === undefined) return undefined;
  if (typeof redact !== "object" || redact === null) throw invalid("`redact` must be an object");
  const unknown = Object.keys(redact).find((key) => !REDACT_KEYS.includes(key));
  if (unknown !== undefined) throw invalid(`\`redact\` has no \`${unknown}\`; ${meant(unknown, REDACT_KEYS)}`);
  return redact;
}

const RETENTION_KEYS: readonly string[] = ["keep", "archive"];

function checkRetention(retention: unknown, store: unknown): CheckedRetention | undefined {
  if (retention === undefined) return undefined;
  if (typeof retention !== "object" || retention === null) throw invalid("`retention` must be an object");
  const unknown = Object.keys(retention).find((key) => !RETENTION_KEYS.includes(key));
  if (unknown !== undefined) {
    throw invalid(`\`retention\` has no \`${unknown}\`; ${meant(unknown, RETENTION_KEYS)}`);
  }
  const { keep = "30d", archive } = retention as Readonly<Record<string, unknown>>;
  const ms = typeof keep === "string" ? ageMs(keep) : undefined;
  if (keep !== "forever" && ms === undefined) {
    throw invalid("`retention.keep` must be a time such as `90d`, or `forever`");
  }
  if (archive === undefined) return { keepMs: ms ?? null, archive };
  if (typeof archive !== "string" || archive === "") throw invalid("`retention.archive` must be a folder");
  if (typeof store === "object") throw invalid("`retention.archive` needs a store that is a directory");
  return { keepMs: ms ?? null, archive };
}

function checkStore(store: unknown): string | Store | undefined {
  if (store === undefined) return undefined;
  if (typeof store === "string" && store !== "") return store;
  if (typeof store === "object" && store !== null && isStore(store)) return store;
  throw invalid("`store` must be a directory or a store");
}

function isStore(value: object): value is Store {
  return STORE_METHODS.every((name) => typeof Reflect.get(value, name) === "function");
}

/** Whatever is not said means production: forgetting a variable must not loosen anything. */
function environmentOf(given: unknown, variables: Readonly<Record<string, string | undefined>>): string {
  if (given !== undefined) return alias(checkName("environment", given));
  return alias(variables.SAFERUN_ENV || variables.NODE_ENV || "prod");
}

function alias(name: string): string {
  return Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
}

function checkName(option: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw invalid(`\`${option}\` must be a text that is not empty`);
  return value;
}

function invalid(message: string): SafeRunError {
  return new SafeRunError("option.invalid", message);
}
