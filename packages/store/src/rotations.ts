/** Changes of the signing key that stand in the part of a log which is not signed yet. */
import {
  equalBytes,
  type NoteKey,
  parseHeader,
  parseRotation,
  ROTATION_PART,
  type Rotation,
  type Signer,
  type Store,
} from "@saferun/core";
import { nodeVerifier } from "./node/file-signer.ts";
import { nodeHash } from "./node/ports.ts";

/** Entries read at once. */
const PAGE = 1_000;

/** The rotations of this log from position `from` on, each signed by both of its keys. */
export async function rotationsAfter(store: Pick<Store, "entries" | "logId">, from: number): Promise<Rotation[]> {
  const rotations: Rotation[] = [];
  for (let at = from; ; ) {
    const page = await store.entries({ from: at, limit: PAGE });
    for (const { header, parts } of page) {
      if (parseHeader(header).type !== "log.rotated") continue;
      const bytes = parts.find(({ name }) => name === ROTATION_PART)?.bytes ?? undefined;
      const rotation = bytes === undefined ? undefined : parseRotation(textIn(bytes), nodeHash, nodeVerifier);
      if (rotation?.log === store.logId) rotations.push(rotation);
    }
    const last = page.at(-1);
    if (last === undefined) return rotations;
    at = last.seq + 1;
  }
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
