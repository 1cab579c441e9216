/** What fingerprints and detectors cost a call: the fastest of many small batches, since the machine has other work too. */
import {
  callKeys,
  LOOP_DEFAULTS,
  newRun,
  normalize,
  type RunEvent,
  resultKeys,
  resultText,
  stepRun,
} from "@saferun/core";
import { nodeHash } from "@saferun/store";

const BATCHES = 400;
const BATCH = 50;

export interface FingerprintCost {
  readonly result_bytes: number;
  readonly call_keys_us: number;
  readonly result_keys_us: number;
  /** Judging a call in a run of 200 different ones. */
  readonly step_us: number;
  readonly state_bytes: number;
}

export function measureFingerprints(): FingerprintCost {
  const order = (at: number) => ({
    id: `ord_8fK2mPq0Zx${at}1`,
    customer: "Ann Miller",
    status: "shipped",
    total: "129.50",
  });
  const orders = Array.from({ length: 8 }, (_, at) => ({ ...order(at), at: "2026-05-01T09:30:00Z", items: at }));
  const text = resultText({ orders });
  const args = { customer: "c_123", status: "open", limit: 20, note: "the orders of last month" };
  const normalized = normalize({ tool: "list_orders", args, agent: "bench", environment: "bench" }, nodeHash);
  if (!normalized.ok) throw new Error(normalized.malformed.message);
  const { call } = normalized;
  const traits = { kind: "read" } as const;
  const keys = callKeys(call, traits, nodeHash);
  const propose = (callKey: string): RunEvent => {
    const spending = { depth: 0, usdMicros: null };
    return { type: "proposed", callId: callKey, keys: { ...keys, callKey }, traits, spending, earlier: null };
  };
  let run = newRun(0);
  for (let at = 0; at < 200; at++) {
    const { tool, kind, identityKey } = keys;
    const callKey = `${keys.callKey.slice(4)}${String(at).padStart(4, "0")}`;
    const known = {
      callId: callKey,
      at,
      tool,
      kind,
      callKey,
      identityKey,
      outcome: "succeeded",
      errorClass: null,
    } as const;
    run = stepRun(run, propose(callKey), at, LOOP_DEFAULTS).state;
    run = stepRun(
      run,
      { type: "finished", print: { ...known, ...resultKeys(text, traits, nodeHash) } },
      at,
      LOOP_DEFAULTS,
    ).state;
  }
  return {
    result_bytes: text.length,
    call_keys_us: fastest(() => callKeys(call, traits, nodeHash)),
    result_keys_us: fastest(() => resultKeys(text, traits, nodeHash)),
    step_us: fastest(() => stepRun(run, propose(keys.callKey), 200, LOOP_DEFAULTS)),
    state_bytes: JSON.stringify(run).length,
  };
}

function fastest(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = performance.now();
    for (let at = 0; at < BATCH; at++) work();
    least = Math.min(least, ((performance.now() - start) * 1_000) / BATCH);
  }
  return Math.round(least * 10) / 10;
}
