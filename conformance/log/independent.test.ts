/**
 * A store as SafeRun writes it, checked by others' code: sigstore's verifier reads the checkpoints and inclusion proofs,
 * an implementation of RFC 9162 the consistency proofs. Nothing of SafeRun takes part in a verdict here.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodePart,
  formatConsistency,
  formatInclusion,
  parseCheckpoint,
  parseConsistency,
  parseInclusion,
  parseNote,
  parseNoteKey,
  proveConsistency,
  proveInclusion,
} from "@saferun/core";
import {
  type CheckpointedStore,
  createCheckpointer,
  createFileSigner,
  nodeHash,
  nodeRandom,
  openSqliteStore,
  signingKeyPath,
} from "@saferun/store";
import { verifyCheckpoint } from "@sigstore/verify/dist/tlog/checkpoint.js";
import { verifyMerkleInclusion } from "@sigstore/verify/dist/tlog/merkle.js";
import { CoMETRE } from "@transmute/rfc9162";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

type SigstoreEntry = Parameters<typeof verifyCheckpoint>[0];

const ENTRIES = 33;
const directory = mkdtempSync(join(tmpdir(), "saferun-independent-"));
let store: CheckpointedStore;
let vkey = "";

beforeAll(async () => {
  const below = openSqliteStore({ directory });
  const signer = createFileSigner(signingKeyPath(directory));
  vkey = signer.vkey;
  store = createCheckpointer(below, signer);
  for (let index = 0; index < ENTRIES; index++) {
    const parts = [{ name: "result", salt: nodeRandom.bytes(32), bytes: encodePart({ index }) }];
    await store.commit({ entries: [{ type: "call.finished", outcome: "succeeded", parts }] });
    await store.checkpoint();
  }
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The key as sigstore is told of a log: by its id and the name that signs. */
function authority() {
  const { name, id, key } = parseNoteKey(vkey, nodeHash);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  const publicKey: KeyObject = createPublicKey({ key: spki, format: "der", type: "spki" });
  return {
    logID: Buffer.from(id),
    baseURL: `https://${name}`,
    publicKey,
    validFor: { start: new Date(0), end: new Date(8e15) },
  };
}

/** What sigstore says of a proof file: the size of the tree that it is in, or an exception. */
function sigstore(text: string): bigint {
  const proof = parseInclusion(text);
  const signed = checkpointOf(proof?.note ?? "");
  if (proof === undefined) throw new Error("not a proof file");
  const logIndex = String(proof.index);
  const entry: SigstoreEntry = {
    logIndex,
    logId: { keyId: Buffer.alloc(0) },
    kindVersion: { kind: "", version: "" },
    integratedTime: "0",
    inclusionPromise: undefined,
    inclusionProof: {
      logIndex,
      rootHash: Buffer.from(signed.root),
      treeSize: String(signed.size),
      hashes: proof.path.map((hash) => Buffer.from(hash)),
      checkpoint: { envelope: proof.note },
    },
    canonicalizedBody: Buffer.from(proof.header),
  };
  const checkpoint = verifyCheckpoint(entry, [authority()]);
  verifyMerkleInclusion(entry, checkpoint);
  return checkpoint.logSize;
}

/** What the implementation of RFC 9162 says of a proof file between two different sizes. */
async function rfc9162(text: string): Promise<boolean> {
  const proof = parseConsistency(text);
  if (proof === undefined) throw new Error("not a proof file");
  const [old, grown] = [checkpointOf(proof.oldNote), checkpointOf(proof.note)];
  // Step 2 of RFC 9162, 2.1.4.2, which this implementation leaves to its caller.
  const isPerfect = Number.isInteger(Math.log2(old.size));
  const path = isPerfect ? [old.root, ...proof.path] : [...proof.path];
  const sizes = { log_id: "", tree_size_1: old.size, tree_size_2: grown.size };
  try {
    return await CoMETRE.verifyConsistencyProof(old.root, old.size, grown.root, grown.size, {
      ...sizes,
      consistency_path: path,
    });
  } catch {
    return false;
  }
}

function checkpointOf(note: string) {
  const checkpoint = parseCheckpoint(parseNote(note)?.text ?? "");
  if (checkpoint === undefined) throw new Error("not a checkpoint");
  return checkpoint;
}

/** The text with one character changed to another that could stand there. */
function bent(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}

describe("others' tools [L2]", () => {
  it("verify every checkpoint and the inclusion of every entry under it, offline, from a file and the key", async () => {
    let proofs = 0;
    for (const { size } of await store.checkpoints()) {
      for (let index = 0; index < size; index++) {
        const file = formatInclusion(await proveInclusion(store, index, nodeHash, size));
        expect(sigstore(file)).toBe(BigInt(size));
        proofs++;
      }
    }
    expect(proofs).toBeGreaterThan((ENTRIES * ENTRIES) / 2);
  });

  it("verify that the log grew from each checkpoint to each later one", async () => {
    const sizes = (await store.checkpoints()).map(({ size }) => size);
    for (const [place, size] of sizes.entries()) {
      for (const old of sizes.slice(0, place)) {
        const file = formatConsistency(await proveConsistency(store, old, nodeHash, size));
        expect([old, size, await rfc9162(file)]).toEqual([old, size, true]);
      }
    }
  });

  it("compute the same root from the leaves", async () => {
    const leaves = (await store.leaves({ from: 0, to: ENTRIES + 1 })).map((leaf) => leaf);
    const { size, root } = await store.head();
    expect(leaves).toHaveLength(size);
    const entries = await store.entries({ from: 0, limit: size });
    const hashed = await Promise.all(entries.map(({ header }) => CoMETRE.getLeafFromEntry(header)));
    expect(hashed.map(hex)).toEqual(leaves.map(hex));
    expect(hex(await CoMETRE.getRootFromLeaves(hashed))).toBe(hex(root));
  });

  it("refuse what was changed", async () => {
    const included = formatInclusion(await proveInclusion(store, 9, nodeHash, 27));
    const [head = "", ...rest] = included.split("\n\n");
    const places = [
      head.indexOf("extra ") + 9,
      head.length - 20,
      included.length - rest.join("").length + 30,
      included.length - 40,
    ];
    for (const place of places) expect(() => sigstore(bent(included, place))).toThrow();
    const another = formatInclusion({ ...(await proveInclusion(store, 9, nodeHash, 27)), index: 10 });
    expect(() => sigstore(another)).toThrow();
    const grown = await proveConsistency(store, 9, nodeHash, 27);
    const [first = new Uint8Array(32), ...others] = grown.path;
    const changed = first.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
    expect(await rfc9162(formatConsistency({ ...grown, path: [changed, ...others] }))).toBe(false);
    expect(await rfc9162(formatConsistency({ ...grown, oldNote: (await store.checkpoints())[9]?.note ?? "" }))).toBe(
      false,
    );
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
