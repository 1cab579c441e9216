import { createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hash, Signer, Verifier } from "../ports.ts";
import { noteKey, signCheckpoint } from "./checkpoint.ts";
import {
  checkConsistency,
  checkInclusion,
  formatConsistency,
  formatInclusion,
  parseConsistency,
  parseInclusion,
} from "./proof-file.ts";
import { appendLeaf, consistencyPath, EMPTY_TREE, inclusionPath, leafHash, treeRoot } from "./tree.ts";
import { createTreeNodes } from "./tree-nodes.ts";

const hash: Hash = { sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()) };
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const raw = new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(12));
const signer: Signer = {
  name: "saferun.local/proofs",
  publicKey: raw,
  sign: (message) => new Uint8Array(sign(null, message, privateKey)),
};
const verifier: Verifier = { verify: (_, message, signature) => verify(null, message, publicKey, signature) };
const key = noteKey(signer.name, raw, hash);
const ports = { hash, verifier };

const headers = Array.from({ length: 21 }, (_, index) => new TextEncoder().encode(`{"n":${index}}`));
const leaves = headers.map((header) => leafHash(header, hash));
const nodesOf = (size: number) => createTreeNodes(size, { leaves: async (from, to) => leaves.slice(from, to) }, hash);
const treeOf = (size: number) => leaves.slice(0, size).reduce((tree, leaf) => appendLeaf(tree, leaf, hash), EMPTY_TREE);
const noteOver = (size: number) => signCheckpoint({ size, root: treeRoot(treeOf(size), hash) }, signer, hash);

async function inclusion(index: number, size: number): Promise<string> {
  const path = await (await nodesOf(size)).hashes(inclusionPath(index, size));
  return formatInclusion({ index, header: headers[index] ?? new Uint8Array(0), path, note: noteOver(size) });
}

async function consistency(old: number, size: number): Promise<string> {
  const path = await (await nodesOf(size)).hashes(consistencyPath(old, size));
  return formatConsistency({ path, oldNote: noteOver(old), note: noteOver(size) });
}

/** As a person does it: the file's text and the key, nothing else. */
function holds(text: string): boolean {
  const included = parseInclusion(text);
  if (included !== undefined) return checkInclusion(included, key, ports).ok;
  const grown = parseConsistency(text);
  return grown !== undefined && checkConsistency(grown, key, ports).ok;
}

describe("proof files [L2~]", () => {
  it("prove every entry under every checkpoint, and every growth", async () => {
    for (let size = 1; size <= leaves.length; size++) {
      for (let index = 0; index < size; index++)
        expect([index, size, holds(await inclusion(index, size))]).toEqual([index, size, true]);
      for (let old = 1; old <= size; old++)
        expect([old, size, holds(await consistency(old, size))]).toEqual([old, size, true]);
    }
  });

  it("are C2SP's format, with the header as extra data", async () => {
    const lines = (await inclusion(2, 3)).split("\n");
    expect(lines.slice(0, 3)).toEqual(["c2sp.org/tlog-proof@v1", `extra ${btoa('{"n":2}')}`, "index 2"]);
    expect(lines.slice(4, 7)).toEqual(["", signer.name, "3"]);
  });

  it("prove nothing once any character is another", async () => {
    const texts = [await inclusion(5, 13), await consistency(5, 13)];
    const another = fc.record({ file: fc.nat(1), at: fc.nat(), by: fc.constantFrom("A", "b", "7", "\n", " ", "=") });
    fc.assert(
      fc.property(another, ({ file, at, by }) => {
        const text = texts[file] ?? "";
        const place = at % text.length;
        fc.pre(text[place] !== by);
        expect(holds(text.slice(0, place) + by + text.slice(place + 1))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("take no other key, and no proof that is longer than any tree", async () => {
    const file = parseInclusion(await inclusion(1, 4));
    if (file === undefined) throw new Error("a proof that does not parse");
    const other = noteKey(signer.name, new Uint8Array(32).fill(7), hash);
    expect(checkInclusion(file, other, ports)).toMatchObject({
      ok: false,
      reason: expect.stringContaining(signer.name),
    });
    const long = formatInclusion({ ...file, path: Array.from({ length: 65 }, () => new Uint8Array(32)) });
    expect(parseInclusion(long)).toBeUndefined();
  });
});
