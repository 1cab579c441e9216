/** The reading half of a store, over a connection that cannot write. */
import { SafeRunError, type Store } from "@saferun/core";
import { storeFailure } from "./failure.ts";
import type { Reader } from "./reader.ts";

export type Reads = Required<
  Omit<Store, "logId" | "writerId" | "commit" | "addCheckpoint" | "deadWriters" | "close">
> & { deadWriters(): Promise<readonly string[]> };

/** Every read as a promise with the store's own errors; refused once `isClosed`. */
export function readsOf(reader: Reader, isClosed: () => boolean): Reads {
  async function read<Value>(work: () => Value): Promise<Value> {
    if (isClosed()) throw new SafeRunError("record.unavailable", "the store is closed");
    try {
      return work();
    } catch (error) {
      throw storeFailure(error);
    }
  }
  return {
    head: () =>
      read(() => {
        const { size, root } = reader.head();
        return { size, root };
      }),
    entries: (query) => read(() => reader.entries(query)),
    callEntries: (query) => read(() => reader.callEntries(query)),
    leaves: (range) => read(() => reader.leaves(range)),
    strays: () => read(() => reader.strays()),
    checkpoints: () => read(() => reader.checkpoints()),
    call: (id) => read(() => reader.call(id)),
    callByKey: (run, key) => read(() => reader.callByKey(run, key)),
    callsIn: (states, limit) => read(() => reader.callsIn(states, limit)),
    approval: (id) => read(() => reader.approval(id)),
    approvals: (query) => read(() => reader.approvals(query)),
    row: (kind, id) => read(() => reader.row(kind, id)),
    rows: (query) => read(() => reader.rows(query)),
    dueRows: (query) => read(() => reader.dueRows(query)),
    run: (id) => read(() => reader.run(id)),
    runs: (query) => read(() => reader.runs(query)),
    changeToken: () => read(() => reader.changeToken()),
    deadWriters: () => read(() => reader.deadWriters()),
  };
}
