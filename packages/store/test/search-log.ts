/** A log that ends a little behind the first chunk of the index, with calls on both sides of the border. */
import { type EntryDraft, encodePart, type Store, type StoredEntry } from "@saferun/core";
import { nodeRandom } from "../src/node/ports.ts";

const TOOLS = ["stripe.refund", "stripe.charge", "mail.send", "orders.get"] as const;
const WORDS = ["duplicate", "charge", "refund", "card_declined", "Straße", "order 17", "ann@acme.com"] as const;

export function part(name: string, value: unknown) {
  return { name, salt: nodeRandom.bytes(32), bytes: encodePart(value) };
}

/** Entries that nothing but their type and number can be found by. */
export async function fill(store: Store, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1_000) {
    const entries = Array.from({ length: Math.min(1_000, left) }, (): EntryDraft => ({ type: "policy.activated" }));
    await store.commit({ entries });
  }
}

/** Numbers that follow from the seed alone. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** So many calls, eight of them open at any time, their entries mixed. */
export function calls(count: number, seed: number): EntryDraft[] {
  const random = numbers(seed);
  const pick = <Value>(list: readonly Value[]): Value => list[random(list.length)] as Value;
  const open: EntryDraft[][] = [];
  const drafts: EntryDraft[] = [];
  for (let next = 0; next < count || open.length > 0; ) {
    if (next < count && open.length < 8) open.push(callDrafts(next++, random, pick));
    const at = random(open.length);
    const draft = open[at]?.shift();
    if (draft !== undefined) drafts.push(draft);
    if (open[at]?.length === 0) open.splice(at, 1);
  }
  return drafts;
}

function callDrafts(
  number: number,
  random: (below: number) => number,
  pick: <Value>(list: readonly Value[]) => Value,
): EntryDraft[] {
  const call = `call_${number}`;
  const about = {
    run: `run_${number % 7}`,
    call,
    agent: pick(["support", "sales"]),
    environment: "prod",
    step: random(4),
  };
  const tool = pick(TOOLS);
  const text = () => `${pick(WORDS)} ${pick(WORDS)}`;
  const args = {
    amount: pick([1, 2.5, -7, 50_000, "50000", true, null]),
    note: random(9) === 0 ? `${"x".repeat(300)} ${text()}` : text(),
    lines: [{ sku: pick(["A-1", "B-2"]) }, { sku: pick(["A-1", "C*3"]) }],
    ssn: pick(["alpha", "beta"]),
  };
  const named = random(5) === 0;
  const entries: EntryDraft[] = [
    {
      ...about,
      type: "call.proposed",
      ...(named ? {} : { tool }),
      parts: [part("arguments", args), ...(named ? [part("tool", `made up ${tool}`)] : [])],
    },
    {
      ...about,
      type: "call.decided",
      verdict: pick(["allow", "deny", "pause"]),
      rules: [pick(["big", "small"])],
      revision: pick(["r1", "r2"]),
      parts: [part("decision", { decision: { reason: text() } })],
    },
  ];
  if (random(3) > 0) {
    const outcome = pick(["succeeded", "failed", "unknown"] as const);
    entries.push({ ...about, step: random(4), type: "call.finished", tool, outcome, parts: [part("result", text())] });
  }
  if (random(4) === 0) {
    const edited = { ...args, amount: 3 };
    entries.push({
      ...about,
      type: "approval.decided",
      approval: `appr_${number}`,
      parts: [part("arguments", edited)],
    });
  }
  return entries;
}

export async function allEntries(store: Store): Promise<StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (;;) {
    const batch = await store.entries({ from: all.length, limit: 5_000 });
    if (batch.length === 0) return all;
    all.push(...batch);
  }
}
