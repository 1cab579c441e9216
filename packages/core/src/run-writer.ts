/** Commits a run's entries, with what still has to be written before them: its start, and the revision in force. */
import type { EntryDraft } from "./log/entry.ts";
import type { Policies, Store, Transaction } from "./ports.ts";
import type { Run } from "./run.ts";

export class RunWriter {
  readonly #store: Store;
  readonly #policies: Policies;
  /** The revision that is named in the log; empty until the first commit. */
  readonly #named: { revision: string };

  constructor(store: Store, policies: Policies) {
    this.#store = store;
    this.#policies = policies;
    this.#named = policies.named ?? { revision: "" };
  }

  /**
   * True when it is durable, false when another step was first and nothing was written.
   * @throws SafeRunError when it cannot be recorded: then nothing may be executed.
   */
  async commit(run: Run, transaction: Transaction): Promise<boolean> {
    const { revision } = this.#policies.current();
    const started = run.unwritten;
    const activated: EntryDraft[] = revision === this.#named.revision ? [] : [{ type: "policy.activated", revision }];
    run.unwritten = [];
    this.#named.revision = revision;
    let written = false;
    try {
      const entries = [...activated, ...started, ...transaction.entries];
      written = (await this.#store.commit({ ...transaction, entries })).ok;
    } finally {
      if (!written) {
        run.unwritten = [...started, ...run.unwritten];
        if (activated.length > 0) this.#named.revision = "";
      }
    }
    return written;
  }
}
