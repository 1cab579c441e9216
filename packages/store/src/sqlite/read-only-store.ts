/** A look at a store: for verification and listings, also while other processes have it open. Writes nothing. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type CallEntry, type CallRow, type LogFault, SafeRunError, type Store } from "@saferun/core";
import type { Installation } from "../node/installation.ts";
import { nodeHash } from "../node/ports.ts";
import { readPrivateFile } from "../node/private-files.ts";
import { type Activation, type CallRange, createDecisionReader, type DecisionReader } from "./decision-reader.ts";
import { refuseEmptied } from "./directory.ts";
import { storeFailure } from "./failure.ts";
import { createReader } from "./reader.ts";
import { readsOf } from "./reads.ts";
import type { TableStates } from "./table-check.ts";

export interface ReadOnlyStoreOptions {
  readonly directory: string;
  /** Given for the default path: only a store that carries this installation's id is believed. */
  readonly installation?: Pick<Installation, "id">;
  /** How long a locked file is waited for. Default 5,000 ms. */
  readonly busyMs?: number;
}

export interface ReadOnlyStore extends Store {
  /** Proposals and decisions with what they were made from, `from` inclusive to `to` exclusive: for judging them again. */
  decisionEntries(range: CallRange): Promise<readonly CallEntry[]>;
  /** Which revision came into force where, and on which runtime. */
  activations(): Promise<readonly Activation[]>;
  /**
   * Rows of runs, calls, approvals and protections that are not what the entries say; `states` have seen those from `first`
   * to `seen`.
   * @throws SafeRunError `record.busy` where more of the log was archived meanwhile.
   */
  tableFaults(states: TableStates, seen: number, first: number): Promise<readonly LogFault[]>;
  /** The row of a call, read at once; undefined where there is none, or it contradicts itself. */
  callRow(id: string): CallRow | undefined;
}

/**
 * Opens a store that exists. It has no writer: `commit` and `addCheckpoint` always fail.
 * @throws SafeRunError `record.unavailable`, `record.untrusted`, `record.corrupt`, `record.busy`.
 */
export function openReadOnlySqliteStore(options: ReadOnlyStoreOptions): ReadOnlyStore {
  try {
    return open(options);
  } catch (error) {
    throw storeFailure(error);
  }
}

function open({ directory, installation, busyMs = 5_000 }: ReadOnlyStoreOptions): ReadOnlyStore {
  const path = join(directory, "log.db");
  refuseEmptied(directory);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new SafeRunError("record.unavailable", `there is no store at \`${directory}\``);
  }
  if (installation !== undefined && readPrivateFile(join(directory, "installation"))?.trim() !== installation.id) {
    throw new SafeRunError(
      "record.untrusted",
      `\`${directory}\` was not made by this account's SafeRun: name it as \`store\` (\`--store ./.saferun\` on the command line) if you trust it`,
      { details: { directory } },
    );
  }
  const reader = createReader(path, { busyMs, hash: nodeHash });
  const logId = headOrClose(reader);

  let decisions: DecisionReader | undefined;
  let closed = false;
  const refuse = async (): Promise<never> => {
    throw new SafeRunError("record.unavailable", "the store is open for reading only");
  };

  const reading = <Found>(read: (reader: DecisionReader) => Found): Found => {
    if (closed) throw new SafeRunError("record.unavailable", "the store is closed");
    try {
      decisions ??= createDecisionReader(path, busyMs);
      return read(decisions);
    } catch (error) {
      throw storeFailure(error);
    }
  };

  return {
    logId,
    writerId: "",
    tableFaults: async (states, seen, first) => {
      if (closed) throw new SafeRunError("record.unavailable", "the store is closed");
      try {
        return reader.tableFaults(states, seen, first);
      } catch (error) {
        throw storeFailure(error);
      }
    },
    callRow: (id) => reader.callRow(id),
    commit: refuse,
    addCheckpoint: refuse,
    ...readsOf(reader, () => closed),
    decisionEntries: async (range) => reading((reader) => reader.read(range)),
    activations: async () => reading((reader) => reader.activations()),
    close: async () => {
      if (!closed) {
        reader.close();
        decisions?.close();
      }
      closed = true;
    },
  };
}

function headOrClose(reader: ReturnType<typeof createReader>): string {
  try {
    return reader.head().log;
  } catch (error) {
    reader.close();
    throw error;
  }
}
