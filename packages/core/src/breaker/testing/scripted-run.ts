/** A run that a test scripts call by call, through the same steps in the same order as the gate. */
import { normalize } from "../../call.ts";
import { LOOP_DEFAULTS, type LoopSettings } from "../../detectors.ts";
import { invariant } from "../../errors.ts";
import type { Outcome } from "../../lifecycle.ts";
import type { Hash } from "../../ports.ts";
import { type ToolTraits, UNDECLARED_TOOL } from "../../traits.ts";
import { canonicalJson, type JsonObject } from "../../value/json.ts";
import type { Act } from "../loop/acts.ts";
import type { Spending } from "../loop/conduct.ts";
import type { Finding } from "../loop/finding.ts";
import { type CallKeys, callKeys, resultKeys } from "../loop/fingerprint.ts";
import { newRun, type RunHistory } from "../loop/history.ts";
import { stepRun } from "../loop/step.ts";

export interface Scripted {
  readonly result?: unknown;
  /** Absent: the call succeeded. */
  readonly error?: string;
  readonly outcome?: Outcome;
  /** Seconds after the call before; default 10. */
  readonly after?: number;
  readonly spending?: Spending;
  readonly earlier?: Act;
}

export class ScriptedRun {
  state: RunHistory = newRun(0);
  now = 0;
  calls = 0;
  readonly #tools: Readonly<Record<string, ToolTraits>>;
  readonly #hash: Hash;
  readonly settings: LoopSettings;

  constructor(tools: Readonly<Record<string, ToolTraits>>, hash: Hash, settings: Partial<LoopSettings> = {}) {
    this.#tools = tools;
    this.#hash = hash;
    this.settings = { ...LOOP_DEFAULTS, ...settings };
  }

  /** Proposes a call; only where nothing was found does it run and come back. Says what was found. */
  call(tool: string, args: JsonObject, scripted: Scripted = {}): readonly Finding[] {
    const { callId, keys, findings } = this.propose(tool, args, scripted);
    if (findings.some(({ mode, reaction }) => mode === "enforce" && reaction !== "annotate")) {
      this.deny(callId, tool, ["breaker:loop"]);
    } else this.finish(callId, keys, scripted);
    return findings;
  }

  propose(
    tool: string,
    args: JsonObject,
    scripted: Scripted = {},
  ): { readonly callId: string; readonly keys: CallKeys; readonly findings: readonly Finding[] } {
    this.now += (scripted.after ?? 10) * 1_000;
    const callId = `call_${this.calls++}`;
    const traits = this.traits(tool);
    const keys = this.keys(tool, args);
    const { spending = { depth: 0, usdMicros: null }, earlier = null } = scripted;
    const event = { type: "proposed", callId, keys, traits, spending, earlier } as const;
    const { state, findings } = stepRun(this.state, event, this.now, this.settings);
    this.#store(state);
    return { callId, keys, findings };
  }

  finish(callId: string, keys: CallKeys, scripted: Scripted = {}): void {
    const { result = "ok", error } = scripted;
    const { tool, kind, callKey, identityKey } = keys;
    const outcome = scripted.outcome ?? (error === undefined ? "succeeded" : "failed");
    const known = { callId, at: this.now, tool, kind, callKey, identityKey, outcome, errorClass: error ?? null };
    const print = { ...known, ...resultKeys(bytesOf(result), this.traits(tool), this.#hash) };
    this.#store(stepRun(this.state, { type: "finished", print }, this.now, this.settings).state);
  }

  deny(callId: string, tool: string, rules: readonly string[]): readonly Finding[] {
    const { state, findings } = stepRun(this.state, { type: "denied", callId, tool, rules }, this.now, this.settings);
    this.#store(state);
    return findings;
  }

  approve(findings: readonly Finding[]): void {
    this.#store(stepRun(this.state, { type: "approved", findings }, this.now, this.settings).state);
  }

  person(): void {
    this.#store(stepRun(this.state, { type: "person" }, this.now, this.settings).state);
  }

  keys(tool: string, args: JsonObject): CallKeys {
    const normalized = normalize({ tool, args, agent: "bot", environment: "prod" }, this.#hash);
    invariant(normalized.ok, "a test proposes well-formed calls");
    return callKeys(normalized.call, this.traits(tool), this.#hash);
  }

  traits(tool: string): ToolTraits {
    return this.#tools[tool] ?? UNDECLARED_TOOL;
  }

  /** Every step goes through the stored form: a state that does not survive a restart fails every test. */
  #store(state: RunHistory): void {
    this.state = JSON.parse(JSON.stringify(state)) as RunHistory;
  }
}

/** As a result is recorded. */
export function bytesOf(result: unknown): Uint8Array {
  return new TextEncoder().encode(typeof result === "string" ? result : canonicalJson(result));
}

/** `deny`, `pause` … by detector, as `detector:reaction`, sorted. */
export function said(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ detector, reaction }) => `${detector}:${reaction}`).sort();
}
