/** Calls as the gate records them: three entries in one commit, the outcome in a second. */
import { type EntryDraft, encodePart, type Store } from "@saferun/core";
import { nodeRandom } from "@saferun/store";

/** Entries of one call. */
export const PER_CALL = 4;
const IN_FLIGHT = 64;
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

/** Resolves with the size of the log after its last entry. */
export async function oneCall(store: Store, index: number): Promise<number> {
  const [first, second] = draftsOf(index);
  await store.commit({ entries: first });
  const committed = await store.commit({ entries: second });
  return committed.ok ? (committed.entries.at(-1)?.seq ?? 0) + 1 : 0;
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
      revision: "5f2c",
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
      revision: "5f2c",
      parts: [part("decision", decision)],
    },
    { ...about, type: "call.executing", tool, revision: "5f2c" },
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
