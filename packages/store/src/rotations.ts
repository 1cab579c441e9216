/** Changes of the signing key, out of the log. */
import {
  archiveBase,
  equalBytes,
  type NotedRotation,
  type NoteKey,
  parseHeader,
  parseNote,
  parseRotation,
  ROTATION_PART,
  type Rotation,
  type Signer,
  type Store,
  toHex,
} from "@saferun/core";
import { nodeVerifier } from "./node/file-signer.ts";
import { nodeHash } from "./node/ports.ts";

/** Entries read at once. */
const PAGE = 1_000;

type Entries = Pick<Store, "entries" | "logId">;

/** The rotations of this log from position `from` on, each signed by both of its keys. */
export async function rotationsAfter(store: Entries, from: number): Promise<Rotation[]> {
  return (await rotationsIn(store, from, Number.POSITIVE_INFINITY)).map(({ rotation }) => rotation);
}

/**
 * The rotations that lead to the key of the last checkpoint. Read are only the stretches between two checkpoints that
 * different keys have signed, and what stands before the first.
 */
export async function rotationsToNow(store: Entries & Pick<Store, "checkpoints" | "row">): Promise<NotedRotation[]> {
  const { size, rotations } = await archiveBase(store);
  const noted = [...rotations];
  let [from, signers]: [number, string | undefined] = [size, undefined];
  for (const checkpoint of await store.checkpoints()) {
    const now = signersOf(checkpoint.note);
    if (now !== signers) {
      const found = await rotationsIn(store, from, checkpoint.size);
      noted.push(...found.map(({ seq, note }) => ({ seq, note })));
    }
    [from, signers] = [checkpoint.size, now];
  }
  return noted;
}

function signersOf(note: string): string {
  return (parseNote(note)?.signatures ?? []).map(({ id }) => toHex(id)).join();
}

async function rotationsIn(
  store: Entries,
  from: number,
  to: number,
): Promise<(NotedRotation & { readonly rotation: Rotation })[]> {
  const found: (NotedRotation & { readonly rotation: Rotation })[] = [];
  for (let at = from; at < to; ) {
    const page = await store.entries({ from: at, limit: Math.min(PAGE, to - at) });
    for (const { seq, header, parts } of page) {
      if (parseHeader(header).type !== "log.rotated") continue;
      const bytes = parts.find(({ name }) => name === ROTATION_PART)?.bytes ?? undefined;
      const note = bytes === undefined ? "" : textIn(bytes);
      const rotation = parseRotation(note, nodeHash, nodeVerifier);
      if (rotation?.log === store.logId) found.push({ seq, note, rotation });
    }
    const last = page.at(-1);
    if (last === undefined) break;
    at = last.seq + 1;
  }
  return found;
}

export function isKey(key: NoteKey, signer: Pick<Signer, "name" | "publicKey">): boolean {
  return key.name === signer.name && equalBytes(key.key, signer.publicKey);
}

function textIn(bytes: Uint8Array): string {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "string" ? value : "";
  } catch {
    return "";
  }
}
