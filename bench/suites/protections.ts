/** The step of the protections inside the transaction that records a call, on rows as the SQLite store keeps them. */
import {
  callKeys,
  type Json,
  LIMITS,
  LOOP_DEFAULTS,
  type Motion,
  type PotClaim,
  potId,
  protect,
  resultKeys,
  resultText,
  type StateKind,
  type StateRows,
  type ToolCall,
} from "@saferun/core";
import { nodeHash } from "@saferun/store";
import { figures } from "../measure.ts";
import { type Row, row } from "../report.ts";
import { callAt, mailAt, resultAt, START_MS, TRAITS } from "./support-run.ts";

const WARM_UP = 1_000;
const CALLS = 5_000;
/** Whom the agent has written to before. */
const RECIPIENTS = 2_000;
/** Long before the caps of a run. */
const CALLS_OF_A_RUN = 100;

export function protections(): Row[] {
  const plain = measured([]);
  const budgeted = measured(["run", "day UTC 2026-11-22", "ever"].map(claim));
  const p50 = (of: readonly number[]) => figures(of).p50;
  return [
    row("protect step of a proposal, inside the transaction, p50", p50(plain.propose), "µs"),
    row("protect step of an outcome, inside the transaction, p50", p50(plain.finish), "µs"),
    row("both with three budgets held and settled, p50", p50(budgeted.both), "µs"),
    row("what three budgets add to a call, p50", p50(budgeted.both) - p50(plain.both), "µs"),
    row("writing the rows of both as JSON, p50", p50(plain.write), "µs"),
    row("bytes of those rows, p50", p50(plain.bytes), "bytes"),
    row("bytes of those rows, p99", figures(plain.bytes).p99, "bytes"),
  ];
}

function claim(window: string): PotClaim {
  const about = { budget: `refunds ${window}`, environment: "prod", unit: "usd_cents", key: ["support"] };
  const pot = potId({ ...about, window: { key: window, since: null } });
  const limit = 1_000_000_000_000n;
  return { pot, budget: about.budget, unit: about.unit, limit, over: "deny", amount: 1n, slidingMs: null };
}

function measured(claims: readonly PotClaim[]) {
  const rows = new MemoryRows();
  for (let index = 0; index < RECIPIENTS; index++) {
    const at = START_MS - (RECIPIENTS - index) * 1_000;
    for (const motion of motions(mailAt(index), `earlier ${index}`, at, [])) settled(motion, rows, at);
  }
  rows.write();
  const samples: Record<"propose" | "finish" | "both" | "write" | "bytes", number[]> = {
    propose: [],
    finish: [],
    both: [],
    write: [],
    bytes: [],
  };
  for (let index = 0; index < WARM_UP + CALLS; index++) {
    const at = START_MS + index * 500;
    const root = `run_${Math.floor(index / CALLS_OF_A_RUN)}`;
    const [proposal, outcome] = motions(callAt(index), root, at, claims);
    const started = performance.now();
    settled(proposal, rows, at);
    const proposed = performance.now();
    settled(outcome, rows, at);
    const finished = performance.now();
    const bytes = rows.write();
    const written = performance.now();
    if (index < WARM_UP) continue;
    samples.propose.push((proposed - started) * 1_000);
    samples.finish.push((finished - proposed) * 1_000);
    samples.both.push((finished - started) * 1_000);
    samples.write.push((written - finished) * 1_000);
    samples.bytes.push(bytes);
  }
  return samples;
}

/** Marks of a budget would have to be accounted for: the limit is so high that there are none. */
function settled(motion: Motion, rows: StateRows, now: number): void {
  const objection = protect({ motions: [motion], accounted: "" }, rows, now);
  if (objection !== null) throw new Error(`a benchmark call was refused: ${JSON.stringify(objection.findings)}`);
}

function motions(call: ToolCall, root: string, at: number, claims: readonly PotClaim[]): readonly [Motion, Motion] {
  const traits = TRAITS[call.tool] ?? { kind: "read" };
  const keys = callKeys(call, traits, nodeHash);
  const callId = `call_${call.digest}`;
  const caller = { root, runs: [root], depth: 0, agent: "support", environment: "prod", principal: "" };
  const terms = { settings: SETTINGS, claims, observe: false, owner: "writer", leaseMs: LIMITS.leaseMs, at };
  const about = { callId, caller, keys, traits, ...terms, deadline: at + LIMITS.leaseMs };
  const { tool, kind, callKey, identityKey } = keys;
  const known = { callId, at, tool, kind, callKey, identityKey, outcome: "succeeded", errorClass: null } as const;
  const print = { ...known, ...resultKeys(resultText(resultAt(at % 1_000_003)), traits, nodeHash) };
  const named = { callId, root, agent: "support", environment: "prod", tool, outcome: "succeeded", print } as const;
  return [
    { type: "propose", ...about, verdict: "allow", rules: [] },
    { type: "finish", ...named, healthy: true, jitter: 0, actual: [] },
  ];
}

/** So many new recipients would be asked about, and so many calls in one hour. */
const SETTINGS = { ...LOOP_DEFAULTS, novelty: { ...LOOP_DEFAULTS.novelty, recipients: Number.MAX_SAFE_INTEGER } };

/** Values as they are kept between transactions; written ones become JSON when the group is committed. */
class MemoryRows implements StateRows {
  readonly #rows = new Map<string, Json>();
  readonly #dirty = new Set<string>();

  get(kind: StateKind, id: string): Json | undefined {
    return this.#rows.get(`${kind} ${id}`) ?? undefined;
  }

  put(kind: StateKind, id: string, value: Json): void {
    this.#rows.set(`${kind} ${id}`, value);
    this.#dirty.add(`${kind} ${id}`);
  }

  /** How many bytes the rows that were put since the last time are. */
  write(): number {
    let bytes = 0;
    for (const key of this.#dirty) bytes += JSON.stringify(this.#rows.get(key)).length;
    this.#dirty.clear();
    return bytes;
  }
}
