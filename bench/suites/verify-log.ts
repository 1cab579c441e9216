/** Makes the log that the verifier is measured on: calls as the gate records them, with parts of realistic sizes. */
import { type EntryDraft, encodePart, type PartDraft } from "@saferun/core";
import { createCheckpointer, createFileSigner, nodeRandom, openSqliteStore, signingKeyPath } from "@saferun/store";

/** Entries of one call: proposed, decided, executing, finished. */
const PER_CALL = 4;
const CALLS_PER_RUN = 25;
/** Calls in one transaction: only the making is hurried, what is stored is the same. */
const CALLS_PER_COMMIT = 250;

/** At least `entries` entries below `directory`; the public key that signs them. */
export async function makeLog(directory: string, entries: number): Promise<string> {
  const below = openSqliteStore({ directory });
  const signer = createFileSigner(signingKeyPath(directory));
  const store = createCheckpointer(below, signer, { everyEntries: 100_000, everyMs: 60_000 });
  for (let call = 0; call * PER_CALL < entries; call += CALLS_PER_COMMIT) {
    await store.commit({
      entries: Array.from({ length: CALLS_PER_COMMIT }, (_, index) => callOf(call + index)).flat(),
    });
  }
  await store.close();
  return signer.vkey;
}

function callOf(index: number): EntryDraft[] {
  const run = `run_${Math.floor(index / CALLS_PER_RUN)
    .toString(16)
    .padStart(32, "0")}`;
  const call = `call_${index.toString(16).padStart(32, "0")}`;
  const about = { run, step: index % CALLS_PER_RUN, call, agent: "support-agent", environment: "prod" };
  const tool = `stripe.refunds.tool${index % 100}`;
  const args = {
    charge: `ch_${index}`,
    amount: index % 10_000,
    currency: "eur",
    reason: "the customer asked for it twice",
  };
  const decision = {
    verdict: "allow",
    by: ["small-refunds"],
    reasons: [],
    changes: [],
    near: [{ id: "large-refunds", why: "args.amount > 10000" }],
  };
  const revision = "9b1f".repeat(16);
  return [
    { ...about, type: "call.proposed", tool, parts: [part("arguments", args)] },
    {
      ...about,
      type: "call.decided",
      verdict: "allow",
      rules: ["small-refunds"],
      revision,
      parts: [
        part("decision", { decision, context: { now: index, principal: { id: `customer-${index}` }, session: {} } }),
      ],
    },
    { ...about, type: "call.executing", tool, revision },
    {
      ...about,
      type: "call.finished",
      tool,
      outcome: "succeeded",
      parts: [part("result", { id: `re_${index}`, status: "succeeded", ...args })],
    },
  ];
}

function part(name: string, value: unknown): PartDraft {
  return { name, salt: nodeRandom.bytes(32), bytes: encodePart(value) };
}
