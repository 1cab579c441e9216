/** Calls as the gate records them: three entries and the call's row in one commit, the outcome in a second. */
import {
  type CallRecord,
  type CommitResult,
  type EntryDraft,
  encodePart,
  type Store,
  type Transaction,
} from "@saferun/core";
import { nodeRandom } from "@saferun/store";

/** Entries of one call. */
export const PER_CALL = 4;
const IN_FLIGHT = 64;
const REVISION = "5f2c".repeat(16);
const TOOLS = [
  "stripe.refund",
  "stripe.charge",
  "mail.send",
  "orders.get",
  "orders.search",
  "crm.update",
  "files.read",
];
const CITIES = ["Bern", "Basel", "Zürich", "Genève", "Lugano", "Chur", "Thun", "Biel", "Aarau", "Sion"];
const REASONS = ["duplicate charge", "late delivery", "wrong size", "changed mind", "damaged parcel", "price match"];

export interface Load {
  /** Entries a second, for each tenth of the load. */
  readonly rates: readonly number[];
}

/** Appends about so many entries, so many calls under way at any time; `from`: how many were made before. */
export async function load(store: Store, entries: number, from = 0): Promise<Load> {
  const calls = Math.ceil(entries / PER_CALL);
  const rates: number[] = [];
  for (let tenth = 0; tenth < 10; tenth++) {
    let next = Math.floor((calls * tenth) / 10);
    const end = Math.floor((calls * (tenth + 1)) / 10);
    const count = end - next;
    const start = performance.now();
    const worker = async () => {
      while (next < end) await oneCall(store, from + next++);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    rates.push((count * PER_CALL * 1_000) / (performance.now() - start));
  }
  return { rates };
}

/** Resolves with the size of the log after its last entry; `took` hears the milliseconds of each of its commits. */
export async function oneCall(store: Store, index: number, took: (ms: number) => void = () => {}): Promise<number> {
  const [first, second] = draftsOf(index);
  const row = rowOf(store, first, index);
  const timed = async (transaction: Transaction): Promise<CommitResult> => {
    const start = performance.now();
    const result = await store.commit(transaction);
    took(performance.now() - start);
    return result;
  };
  await timed({ entries: first, calls: [{ row, expect: null }] });
  const ended: CallRecord = { ...row, version: 2, state: "succeeded", bytes: null, leaseUntil: null };
  const committed = await timed({ entries: second, calls: [{ row: ended, expect: row.version }] });
  if (!committed.ok) throw new Error(`call ${index} was made before`);
  return committed.to;
}

function rowOf(store: Store, [proposed]: readonly EntryDraft[], index: number): CallRecord {
  const { run = "", call = "", tool = "", agent = "", environment = "" } = proposed ?? {};
  const digest = index.toString(16).padStart(64, "0");
  const at = 1_760_000_000_000 + index;
  return {
    id: call,
    version: 1,
    state: "executing",
    run,
    root: run,
    key: null,
    tool,
    agent,
    environment,
    proposed: digest,
    digest,
    bytes: new TextDecoder().decode(proposed?.parts?.[0]?.bytes),
    revision: REVISION,
    approval: null,
    owner: store.writerId,
    fence: 1,
    leaseUntil: at + 60_000,
    createdAt: at,
    updatedAt: at,
  };
}

function draftsOf(index: number): readonly [EntryDraft[], EntryDraft[]] {
  const tool = TOOLS[index % TOOLS.length] ?? "";
  const run = `run_${Math.floor(index / 20)
    .toString(16)
    .padStart(12, "0")}`;
  const call = `call_${index.toString(16).padStart(12, "0")}`;
  const about = { run, step: index % 20, call, agent: index % 3 === 0 ? "support" : "sales", environment: "prod" };
  const denied = index % 11 === 0;
  const args = {
    amount: (index * 7_919) % 100_000,
    currency: "chf",
    customer: { id: `c_${index % 50_000}`, city: CITIES[index % CITIES.length] },
    reason: `${REASONS[index % REASONS.length]}, order ${index}`,
    note: `ticket T${(index * 31) % 1_000_003} of ${CITIES[(index * 3) % CITIES.length]}`,
  };
  const decision = {
    decision: {
      verdict: denied ? "deny" : "allow",
      by: [`t${index % 40}.r1`],
      revision: REVISION,
      reason: "amounts over the limit need a person",
      fix: null,
      changed: null,
      limits: [],
    },
    context: {
      now: 1_760_000_000_000 + index,
      agent: about.agent,
      environment: "prod",
      principal: { id: `u_${index % 5_000}`, roles: ["agent"], labels: {} },
      run: { id: run, turn: about.step, depth: 0 },
      call: { id: call, kind: "write" },
      budgets: {},
      facts: {},
    },
  };
  const first: EntryDraft[] = [
    { ...about, type: "call.proposed", tool, parts: [part("arguments", args)] },
    {
      ...about,
      type: "call.decided",
      verdict: denied ? "deny" : "allow",
      rules: [`t${index % 40}.r1`],
      revision: REVISION,
      parts: [part("decision", decision)],
    },
    { ...about, type: "call.executing", tool, revision: REVISION },
  ];
  const result = {
    id: `re_${(index * 104_729) % 99_999_989}`,
    status: index % 13 === 0 ? "failed" : "succeeded",
    balance: index % 977,
  };
  const second: EntryDraft[] = [
    { ...about, type: "call.finished", tool, outcome: "succeeded", parts: [part("result", result)] },
  ];
  return [first, second];
}

function part(name: string, value: unknown) {
  return { name, salt: nodeRandom.bytes(32), bytes: encodePart(value) };
}
