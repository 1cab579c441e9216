/** What it takes to tell a run's calls from its log, and nothing else: headers and a few parts as texts, without the proofs. */
import type { StoredEntry } from "./entry.ts";

/** An entry about a call or its approval. */
export interface CallEntry {
  readonly seq: number;
  /** Canonical JSON. */
  readonly header: string;
  /** Of its parts those in `CALL_PARTS` that it has, as JSON text; null where it was erased. */
  readonly parts: ReadonlyMap<string, string | null>;
}

/** Who asked for what, and what was decided: results are none of them. */
export const CALL_PARTS: readonly string[] = ["arguments", "tool", "decision", "redacted"];

/** Headers are canonical: a type is always written like this. */
const OF_A_CALL = /"type":"(call|approval)\./;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Of a whole entry what `CallEntry` holds. */
export function callEntryOf({ seq, header, parts }: StoredEntry): CallEntry {
  const texts = parts.flatMap(({ name, bytes }) =>
    CALL_PARTS.includes(name) ? [[name, bytes === null ? null : decoder.decode(bytes)] as const] : [],
  );
  return { seq, header: decoder.decode(header), parts: new Map(texts) };
}

/** True where it is about a call or its approval. */
export function isCallEntry({ header }: Pick<CallEntry, "header">): boolean {
  return OF_A_CALL.test(header);
}
