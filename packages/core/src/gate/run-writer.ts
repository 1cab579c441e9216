/** Commits a run's entries, with what still has to be written before them: its start, and the revision in force. */

import type { Motion } from "../breaker/protect/motion.ts";
import { NO_OBJECTION, type Objection } from "../breaker/protect/objection.ts";
import type { GatePorts } from "../gate.ts";
import { KEPT_WHOLE } from "../keeping.ts";
import type { EntryDraft, PartDraft } from "../log/entry.ts";
import type { QuotaMark } from "../log/quota.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Alarm, CommitResult, Policies, Random, RowWrite, StateRow, Transaction } from "../ports.ts";
import { STAMP_PART } from "../value/stamp.ts";
import { accounted } from "./account.ts";
import { about, keeping, keepingOfConversation, newId, part, protectionEntries } from "./record.ts";
import type { Run } from "./run.ts";
import { spokenMotion } from "./spoken.ts";
import { WindowClock } from "./store-time.ts";

type WriterPorts = Pick<
  GatePorts,
  "store" | "policies" | "random" | "hash" | "notifier" | "clock" | "outbox" | "quota"
>;

export class RunWriter {
  readonly #ports: WriterPorts;
  readonly windows: WindowClock;
  /** The revision that is named in the log; empty until the first commit. */
  readonly #named: { revision: string };

  constructor(ports: WriterPorts) {
    this.#ports = ports;
    this.windows = new WindowClock(ports.store, ports.clock);
    this.#named = ports.policies.named ?? { revision: "" };
  }

  /**
   * True when it is durable, false when another step was first and nothing was written.
   * @throws SafeRunError when it cannot be recorded: then nothing may be executed.
   */
  async commit(run: Run, transaction: Transaction): Promise<boolean> {
    return this.commitJudged(run, () => transaction);
  }

  /**
   * The same where the protections have a say in what is written: `build` is asked again with what they object. What they do
   * beside it (a breaker that opens, a mark that is reached) is recorded in the same transaction.
   */
  async commitJudged(run: Run, build: (objection: Objection | null) => Transaction): Promise<boolean> {
    const { clock, outbox, random } = this.#ports;
    let last: Objection | null = null;
    const result = await accounted(
      (transaction) => this.#write(run, transaction),
      (objection) => {
        last = objection;
        const made = build(objection);
        if (objection === null) return made;
        const call = made.calls?.[0]?.row.id;
        const entries = [...made.entries, ...protectionEntries(about(run, call), objection, random)];
        const alarm = alarmOf(run, objection);
        if (alarm === undefined) return { ...made, entries };
        // Told in the transaction that does it: a trip that nobody hears of would be found too late.
        const now = clock.now();
        const rows = outbox?.alarmed(alarm, newId("alarm", random, now), now);
        return { ...made, entries, rows: [...(made.rows ?? []), ...fresh(rows)] };
      },
    );
    const quotas = result.ok ? (result.reached ?? []) : [];
    if (result.ok && (last !== null || quotas.length > 0)) this.#alarm(run, last ?? NO_OBJECTION, quotas);
    return result.ok;
  }

  async #write(run: Run, transaction: Transaction): Promise<CommitResult> {
    const { store, policies, random, quota, hash } = this.#ports;
    // Read before anything is taken: from there to the commit nothing may come between.
    const spoken = run.unwritten.length === 0 ? undefined : await spokenMotion(run, this.#ports);
    const set = policies.current();
    const { revision } = set;
    const started = run.unwritten;
    const activated = revision === this.#named.revision ? [] : [activation(policies, set, random)];
    run.unwritten = [];
    this.#named.revision = revision;
    let result: CommitResult | undefined;
    try {
      const seal = set.conversationSeal(run.environment);
      const begins = started.map(({ entry }) => keeping(entry(seal), keepingOfConversation(set, run, hash)));
      const entries = [...activated, ...begins, ...toBeKept(transaction)];
      const begun = started.length === 0 ? undefined : (spoken ?? joined(run));
      const counted = quota === undefined ? {} : { counted: { root: run.root, agent: run.agent, quota } };
      result = await store.commit({ ...transaction, ...withFirst(begun, transaction), ...counted, entries });
      return result;
    } finally {
      if (result?.ok !== true) {
        run.unwritten = [...started, ...run.unwritten];
        if (activated.length > 0) this.#named.revision = "";
      }
    }
  }

  /** Tells people. Whatever that throws or forgets, what happened is in the record. */
  #alarm(run: Run, objection: Objection, quotas: readonly QuotaMark[]): void {
    const alarm = alarmOf(run, objection, quotas);
    if (alarm === undefined) return;
    Promise.resolve()
      .then(() => this.#ports.notifier.alarmed?.(alarm))
      .catch(() => undefined);
  }
}

/** Each call's row says how its content is kept: a store that does not see to it refuses the entries. */
function toBeKept({ calls = [], entries }: Transaction): readonly EntryDraft[] {
  if (calls.every(({ row }) => row.keep === undefined)) return entries;
  const keeps = new Map(calls.map(({ row }) => [row.id, row.keep ?? KEPT_WHOLE]));
  return entries.map((entry) => keeping(entry, keeps.get(entry.call ?? "") ?? KEPT_WHOLE));
}

function alarmOf(
  { id, agent, environment }: Run,
  { changes, marks, exceeded }: Objection,
  quotas: readonly QuotaMark[] = [],
): Alarm | undefined {
  if (changes.length + marks.length + exceeded.length + quotas.length === 0) return undefined;
  const told = { run: id, agent, environment, changes, marks, exceeded };
  return quotas.length === 0 ? told : { ...told, quotas };
}

/** Rows that must not be there yet. */
export function fresh(rows: readonly StateRow[] = []): readonly RowWrite<StateRow>[] {
  return rows.map((row) => ({ row, expect: null }));
}

/** A revision comes into force, on a runtime whose tables it may read, beside the schemas of an agent's tools. */
export function activation(
  { stamp }: Pick<Policies, "stamp">,
  { revision, written = revision }: Pick<PolicySet, "revision" | "written">,
  random: Random,
): EntryDraft {
  const parts: PartDraft[] = [];
  if (stamp !== undefined) {
    const { calendar, icu, unicode } = stamp;
    parts.push(part(STAMP_PART, { calendar, icu, unicode }, random));
  }
  if (written !== revision) parts.push(part(WRITTEN_PART, { revision: written }, random));
  return { type: "policy.activated", revision, ...(parts.length > 0 && { parts }) };
}

/** The revision of the files alone, where the one in force holds more. */
const WRITTEN_PART = "written";

/** A sub-agent's run is entered in the tree of its root. */
function joined({ id, root }: Run): Motion | undefined {
  return id === root ? undefined : { type: "join", root, run: id };
}

/** What a run begins with comes before what is done now. */
function withFirst(begun: Motion | undefined, { protection }: Transaction): Pick<Transaction, "protection"> {
  if (begun === undefined) return {};
  return { protection: { accounted: protection?.accounted ?? "", motions: [begun, ...(protection?.motions ?? [])] } };
}
