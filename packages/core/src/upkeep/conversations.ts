/**
 * What models were asked and answered, for an erasure. It repeats what calls hold, and of a text that mixes people nobody can
 * say which words are whose: it goes with each of them, in the run and in all that belongs to its tree.
 */
import type { StoredEntry } from "../log/entry.ts";
import type { ErasedParts } from "../log/erasure.ts";
import { type EntryHeader, parseHeader } from "../log/header.ts";
import type { LogStore } from "../ports.ts";
import { sealedIn } from "../redaction/seal.ts";

const PAGE = 500;

/** Which runs belong together, as their first entries say it. Takes entries in the order of the log. */
export class RunRoots {
  readonly #roots = new Map<string, string>();

  see(entry: StoredEntry, { type, run }: EntryHeader): void {
    if (type === "run.started" && run !== undefined) this.#roots.set(run.id, rootIn(entry) ?? run.id);
  }

  /** Of one whose first entry is archived or erased: itself. */
  of(run: string): string {
    return this.#roots.get(run) ?? run;
  }

  /** Each known run of these trees, and their roots. */
  runsOf(roots: ReadonlySet<string>): ReadonlySet<string> {
    const runs = new Set(roots);
    for (const [run, root] of this.#roots) if (roots.has(root)) runs.add(run);
    return runs;
  }
}

function rootIn({ parts }: StoredEntry): string | undefined {
  const bytes = parts.find(({ name }) => name === "context")?.bytes ?? null;
  if (bytes === null) return undefined;
  const { around } = JSON.parse(decoder.decode(bytes)) as { readonly around?: unknown };
  const root: unknown = Array.isArray(around) ? around.at(-1) : undefined;
  return typeof root === "string" ? root : undefined;
}

/** The conversations of these runs, with the entries that hold them, in the order of the log within each run. */
export async function* conversationsOf(
  store: Pick<LogStore, "entries">,
  runs: Iterable<string>,
): AsyncIterable<{ readonly entry: StoredEntry; readonly erased: ErasedParts }> {
  for (const run of runs) {
    for (let from = 0; ; ) {
      const entries = await store.entries({ from, limit: PAGE, run });
      for (const entry of entries) {
        const names = namesIn(entry, parseHeader(entry.header));
        if (names.length > 0) yield { entry, erased: { seq: entry.seq, names } };
      }
      const last = entries.at(-1);
      if (last === undefined) break;
      from = last.seq + 1;
    }
  }
}

export function isConversation(type: string): boolean {
  return type.startsWith("model.");
}

/** Of what a run began with: what the person said, and what was sealed with it. Whose it is stays findable. */
function namesIn({ parts }: StoredEntry, { type }: EntryHeader): readonly string[] {
  if (!isConversation(type) && type !== "run.started") return [];
  return parts.flatMap(({ name, bytes }) => {
    if (bytes === null) return [];
    return isConversation(type) || name === "user-prompt" || sealedIn(bytes) !== undefined ? [name] : [];
  });
}

const decoder = new TextDecoder();
