/**
 * What it takes to judge recorded calls again, and nothing else: proposals and decisions with their content, as texts,
 * without the hashes and salts that prove them. Several times as fast as reading whole entries.
 */
import type { CallEntry } from "@saferun/core";
import { CALLS_BETWEEN, callEntriesIn, DECISIONS_BETWEEN } from "./call-entries.ts";
import { connectReadOnly, integer, PARTS_PER_ENTRY, text } from "./schema.ts";

export interface DecisionReader {
  /** Proposals and decisions in the order of the log, `from` inclusive to `to` exclusive; with `all`, whatever is about calls. */
  read(range: CallRange): readonly CallEntry[];
  /** Every `policy.activated` that names its runtime, in the order of the log. Reads every header once. */
  activations(): readonly Activation[];
  close(): void;
}

export interface CallRange {
  readonly from: number;
  readonly to: number;
  readonly all?: boolean;
}

export interface Activation {
  readonly seq: number;
  /** Canonical JSON of the header. */
  readonly header: string;
  /** JSON text of the part `runtime`; null where it was erased. */
  readonly runtime: string | null;
}

const ACTIVATIONS = `
SELECT e.seq AS seq, CAST(e.header AS TEXT) AS header, CAST(p.bytes AS TEXT) AS bytes
FROM entries e JOIN parts p
  ON p.id >= e.seq * ${PARTS_PER_ENTRY} AND p.id < (e.seq + 1) * ${PARTS_PER_ENTRY} AND p.name = 'runtime'
WHERE CAST(e.header AS TEXT) GLOB '*"type":"policy.activated"*'
ORDER BY e.seq`;

export function createDecisionReader(path: string, busyMs: number): DecisionReader {
  const db = connectReadOnly(path, busyMs);
  const decisions = db.prepare(DECISIONS_BETWEEN);
  const calls = db.prepare(CALLS_BETWEEN);
  return {
    read: ({ from, to, all = false }) => callEntriesIn((all ? calls : decisions).all(from, to)),
    activations: () =>
      db
        .prepare(ACTIVATIONS)
        .all()
        .map(({ seq, header, bytes }) => ({
          seq: integer(seq, "seq"),
          header: text(header, "header"),
          runtime: bytes === null ? null : text(bytes, "bytes"),
        })),
    close: () => db.close(),
  };
}
