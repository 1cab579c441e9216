/**
 * What it takes to judge recorded calls again, and nothing else: proposals and decisions with their content, as texts,
 * without the hashes and salts that prove them. Several times as fast as reading whole entries.
 */
import { REDACTED_PART } from "@saferun/core";
import { connectReadOnly, integer, PARTS_PER_ENTRY, text } from "./schema.ts";

/** An entry of type `call.proposed` or `call.decided`; whoever reads its header decides which. */
export interface DecisionEntry {
  readonly seq: number;
  /** Canonical JSON. */
  readonly header: string;
  /** Of its parts `arguments`, `tool`, `decision` and `redacted` the ones that it has, as JSON text; null where it was erased. */
  readonly parts: ReadonlyMap<string, string | null>;
}

export interface DecisionReader {
  /** In the order of the log, `from` inclusive to `to` exclusive. */
  read(range: { readonly from: number; readonly to: number }): readonly DecisionEntry[];
  /** Every `policy.activated` that names its runtime, in the order of the log. Reads every header once. */
  activations(): readonly Activation[];
  close(): void;
}

export interface Activation {
  readonly seq: number;
  /** Canonical JSON of the header. */
  readonly header: string;
  /** JSON text of the part `runtime`; null where it was erased. */
  readonly runtime: string | null;
}

/** Headers are canonical: a type is always written like this. `GLOB`, since `instr` takes several times as long. */
const QUERY = `
SELECT e.seq AS seq, CAST(e.header AS TEXT) AS header, p.name AS name, CAST(p.bytes AS TEXT) AS bytes
FROM entries e LEFT JOIN parts p
  ON p.id >= e.seq * ${PARTS_PER_ENTRY} AND p.id < (e.seq + 1) * ${PARTS_PER_ENTRY}
  AND p.name IN ('arguments', 'tool', 'decision', '${REDACTED_PART}')
WHERE e.seq >= ? AND e.seq < ? AND CAST(e.header AS TEXT) GLOB '*"type":"call.[dp]*'
ORDER BY e.seq, p.id`;

const ACTIVATIONS = `
SELECT e.seq AS seq, CAST(e.header AS TEXT) AS header, CAST(p.bytes AS TEXT) AS bytes
FROM entries e JOIN parts p
  ON p.id >= e.seq * ${PARTS_PER_ENTRY} AND p.id < (e.seq + 1) * ${PARTS_PER_ENTRY} AND p.name = 'runtime'
WHERE CAST(e.header AS TEXT) GLOB '*"type":"policy.activated"*'
ORDER BY e.seq`;

export function createDecisionReader(path: string, busyMs: number): DecisionReader {
  const db = connectReadOnly(path, busyMs);
  const statement = db.prepare(QUERY);
  return {
    read({ from, to }) {
      const entries: DecisionEntry[] = [];
      let parts = new Map<string, string | null>();
      for (const row of statement.all(from, to)) {
        const seq = integer(row.seq, "seq");
        if (entries.at(-1)?.seq !== seq) {
          parts = new Map();
          entries.push({ seq, header: text(row.header, "header"), parts });
        }
        if (row.name === null) continue;
        parts.set(text(row.name, "name"), row.bytes === null ? null : text(row.bytes, "bytes"));
      }
      return entries;
    },
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
