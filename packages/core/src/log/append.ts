/**
 * Drafts → entries, with the chains and the tree moved on. Stores call this inside their transaction and keep the new
 * heads only when it commits.
 */
import { toHex } from "../call.ts";
import { SafeRunError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Hash } from "../ports.ts";
import { canonicalJson } from "../value/json.ts";
import type { EntryDraft, PartDraft, StoredEntry, StoredPart } from "./entry.ts";
import { type ChainLink, type EntryHeader, HEADER_VERSION } from "./header.ts";
import { isPartName, partCommitment, SALT_BYTES } from "./part.ts";
import { appendLeaf, type LogTree, leafHash } from "./tree.ts";

/** The end of a writer's or a run's chain. */
export interface ChainHead {
  /** Entries so far: the number of the next one. */
  readonly n: number;
  /** Leaf of the last one; null when there is none. */
  readonly leaf: Uint8Array | null;
}

export const EMPTY_CHAIN: ChainHead = Object.freeze({ n: 0, leaf: null });

/** Everything that the next entry depends on. Immutable: a rolled-back transaction just forgets its successor. */
export interface LogHeads {
  readonly log: string;
  readonly writer: ChainHead & { readonly id: string };
  /** The runs that the drafts name; a run that is not in it is new. */
  readonly runs: ReadonlyMap<string, ChainHead>;
  readonly tree: LogTree;
  /** Time of the last entry, ms; 0 in an empty log. */
  readonly lastTime: number;
}

export interface Appended {
  readonly entries: readonly StoredEntry[];
  readonly heads: LogHeads;
}

const encoder = new TextEncoder();

/**
 * Pure. Store time is max(`now`, the last entry's time).
 * @throws SafeRunError `log.malformed` for a draft that cannot be an entry: a header over `LIMITS.headerBytes`, a part
 * over `LIMITS.partBytes`, two parts of one name, a bad part name or salt, text that JSON cannot carry.
 */
export function appendEntries(drafts: readonly EntryDraft[], heads: LogHeads, now: number, hash: Hash): Appended {
  const time = Math.max(Math.floor(now), heads.lastTime);
  const runs = new Map(heads.runs);
  const entries: StoredEntry[] = [];
  let { writer, tree } = heads;
  for (const draft of drafts) {
    if (draft.keep?.seal !== undefined) {
      throw new SafeRunError(
        "seal.missing",
        "the policies seal the content of this call, and this store has no keys for it",
      );
    }
    if (draft.keep !== undefined) {
      throw new SafeRunError("log.malformed", "a log entry whose content is not to be kept whole, and still is");
    }
    const parts = storedParts(draft);
    const run = draft.run === undefined ? undefined : (runs.get(draft.run) ?? EMPTY_CHAIN);
    const header = headerBytes(draft, {
      log: heads.log,
      writer: link(writer.id, writer),
      run: draft.run !== undefined && run !== undefined ? link(draft.run, run) : undefined,
      time,
      parts: parts.length > 0 ? commitments(parts, hash) : undefined,
    });
    const leaf = leafHash(header, hash);
    entries.push({ seq: tree.size, header, leaf, parts });
    tree = appendLeaf(tree, leaf, hash);
    writer = { id: writer.id, n: writer.n + 1, leaf };
    if (draft.run !== undefined && run !== undefined) runs.set(draft.run, { n: run.n + 1, leaf });
  }
  return {
    entries,
    heads: { log: heads.log, writer, runs, tree, lastTime: entries.length > 0 ? time : heads.lastTime },
  };
}

function link(id: string, head: ChainHead): ChainLink {
  return { id, n: head.n, prev: head.leaf === null ? null : toHex(head.leaf) };
}

/** What the store adds to a draft. */
type Added = { readonly [Key in "log" | "writer" | "run" | "time" | "parts"]: EntryHeader[Key] | undefined };

/** Every field of a header, in the order of canonical JSON; what is undefined is not in it. */
function headerOf(draft: EntryDraft, { log, writer, run, time, parts }: Added) {
  const { type, step, call, within, model, tool, agent, environment } = draft;
  const { verdict, rules, revision, approval, outcome } = draft;
  const begin = { agent, approval, call, environment, log, model, outcome, parts, revision, rules, run };
  const header = { ...begin, step, time, tool, type, v: HEADER_VERSION, verdict, within, writer };
  return header satisfies Record<keyof EntryHeader, unknown>;
}

/**
 * RFC 8785, a third of the time that sorting takes: `JSON.stringify` differs from it only in the order of keys, and in that
 * it escapes lone surrogates and makes null of numbers that are none. Those are refused.
 */
function headerText(header: ReturnType<typeof headerOf>): string {
  const text = JSON.stringify(header);
  const plain = !text.includes("\\ud") && [header.time, header.step ?? 0].every(Number.isFinite);
  return plain ? text : canonicalJson(header);
}

function headerBytes(draft: EntryDraft, added: Added): Uint8Array {
  const header = headerOf(draft, added);
  let bytes: Uint8Array;
  try {
    bytes = encoder.encode(headerText(header));
  } catch (cause) {
    throw new SafeRunError("log.malformed", "a log entry with text that JSON cannot carry in its header", { cause });
  }
  if (bytes.length > LIMITS.headerBytes) {
    throw new SafeRunError(
      "log.malformed",
      `a log entry with a header of ${bytes.length} bytes, over ${LIMITS.headerBytes}`,
      {
        details: { type: header.type, bytes: bytes.length },
      },
    );
  }
  return bytes;
}

/** In the order of their names, with bytes of their own: the caller may go on using its buffers. */
function storedParts(draft: EntryDraft): (PartDraft & StoredPart)[] {
  const parts = [...(draft.parts ?? [])].sort((left, right) => (left.name < right.name ? -1 : 1));
  return parts.map((part, index) => {
    const { name, salt, bytes } = part;
    const fault = !isPartName(name)
      ? "a name that is no lower-case word or path"
      : parts[index + 1]?.name === name
        ? "the name of another part"
        : salt.length !== SALT_BYTES
          ? `a salt of ${salt.length} bytes instead of ${SALT_BYTES}`
          : bytes.length > LIMITS.partBytes
            ? `${bytes.length} bytes, over ${LIMITS.partBytes}`
            : undefined;
    if (fault !== undefined) throw new SafeRunError("log.malformed", `the log entry part \`${name}\` has ${fault}`);
    return { name, salt: salt.slice(), bytes: bytes.slice() };
  });
}

function commitments(parts: readonly PartDraft[], hash: Hash): Record<string, string> {
  const byName: Record<string, string> = {};
  for (const part of parts) byName[part.name] = toHex(partCommitment(part, hash));
  return byName;
}
