import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../call.ts";
import type { Hash } from "../ports.ts";
import { fromHex } from "../value/bytes.ts";
import { verifyConsistency, verifyInclusion } from "./proof.ts";
import {
  appendLeaf,
  consistencyPath,
  createTreeBuilder,
  EMPTY_TREE,
  inclusionPath,
  type LogTree,
  leafHash,
  nodeHash,
  peakCount,
  treeRoot,
} from "./tree.ts";
import { createTreeNodes, type TreeNodes } from "./tree-nodes.ts";

const hash: Hash = { sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

function bytes(hex: string): Uint8Array {
  const value = fromHex(hex);
  if (value === undefined) throw new Error(`no hex: ${hex}`);
  return value;
}

/** The leaves and answers of certificate-transparency's own tests (`merkletree/merkle_tree_test`). */
const INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const INCLUSION: [index: number, size: number, path: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  ],
  [
    5,
    8,
    [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  ],
  [2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]],
  [
    1,
    5,
    [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  ],
];
const CONSISTENCY: [old: number, size: number, path: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  ],
  [
    6,
    8,
    [
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  ],
  [
    2,
    5,
    [
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  ],
];

function grow(leaves: readonly Uint8Array[]): LogTree {
  return leaves.reduce((tree, leaf) => appendLeaf(tree, leaf, hash), EMPTY_TREE);
}

function nodesOf(leaves: readonly Uint8Array[], size: number): Promise<TreeNodes> {
  return createTreeNodes(size, { leaves: async (from, to) => leaves.slice(from, to) }, hash);
}

/** RFC 6962's recursive definition, word for word: the second opinion. */
function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return hash.sha256(new Uint8Array(0));
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)), hash);
}

const LEAVES = INPUTS.map((input) => leafHash(bytes(input), hash));

describe("RFC 6962 vectors [L2~]", () => {
  it("gives the published roots", () => {
    expect(toHex(treeRoot(EMPTY_TREE, hash))).toBe(EMPTY_ROOT);
    expect(ROOTS.map((_, index) => toHex(treeRoot(grow(LEAVES.slice(0, index + 1)), hash)))).toEqual(ROOTS);
  });

  it("gives the published inclusion proofs", async () => {
    for (const [index, size, path] of INCLUSION) {
      const hashes = await (await nodesOf(LEAVES, size)).hashes(inclusionPath(index, size));
      expect(hashes.map(toHex)).toEqual(path);
      const [leaf, root] = [LEAVES[index] ?? new Uint8Array(0), bytes(ROOTS[size - 1] ?? "")];
      expect(verifyInclusion({ index, size, leaf, root, path: path.map(bytes) }, hash)).toBe(true);
    }
  });

  it("gives the published consistency proofs", async () => {
    for (const [oldSize, size, path] of CONSISTENCY) {
      const hashes = await (await nodesOf(LEAVES, size)).hashes(consistencyPath(oldSize, size));
      expect(hashes.map(toHex)).toEqual(path);
      const [oldRoot, root] = [bytes(ROOTS[oldSize - 1] ?? ""), bytes(ROOTS[size - 1] ?? "")];
      expect(verifyConsistency({ oldSize, oldRoot, size, root, path: path.map(bytes) }, hash)).toBe(true);
    }
  });
});

describe("all trees of up to 70 leaves", () => {
  const leaves = Array.from({ length: 70 }, (_, index) => leafHash(new Uint8Array([index]), hash));
  const roots = leaves.map((_, index) => treeRoot(grow(leaves.slice(0, index + 1)), hash));
  const rootAt = (size: number): Uint8Array => roots[size - 1] ?? new Uint8Array(0);
  const leafAt = (index: number): Uint8Array => leaves[index] ?? new Uint8Array(0);

  it("agree with the recursive definition and keep one peak per 1 of their size", () => {
    for (let size = 1; size <= 70; size++) {
      const tree = grow(leaves.slice(0, size));
      expect(treeRoot(tree, hash)).toEqual(definedRoot(leaves.slice(0, size)));
      expect(tree.peaks.length).toBe(peakCount(size));
    }
  });

  it("grow in place as they grow leaf by leaf, and keep what was read of them", () => {
    const builder = createTreeBuilder(hash);
    const before = leaves.map((leaf) => {
      const tree = builder.tree();
      builder.append(leaf);
      return tree;
    });
    expect(before).toEqual(leaves.map((_, index) => grow(leaves.slice(0, index))));
    expect(createTreeBuilder(hash, builder.tree()).tree()).toEqual(grow(leaves));
  });

  it("prove every leaf, and only at its place", async () => {
    for (let size = 1; size <= 70; size++) {
      for (let index = 0; index < size; index++) {
        const path = await (await nodesOf(leaves, size)).hashes(inclusionPath(index, size));
        const proof = { index, size, leaf: leafAt(index), root: rootAt(size), path };
        expect(verifyInclusion(proof, hash)).toBe(true);
        expect(verifyInclusion({ ...proof, leaf: leafAt((index + 1) % 70) }, hash)).toBe(false);
        expect(verifyInclusion({ ...proof, path: [...path, rootAt(1)] }, hash)).toBe(false);
        if (size > 1) expect(verifyInclusion({ ...proof, index: (index + 1) % size }, hash)).toBe(false);
        if (path.length > 0) expect(verifyInclusion({ ...proof, path: path.slice(1) }, hash)).toBe(false);
      }
    }
  });

  it("prove every growth, and no other", async () => {
    for (let size = 1; size <= 70; size++) {
      for (let oldSize = 1; oldSize <= size; oldSize++) {
        const path = await (await nodesOf(leaves, size)).hashes(consistencyPath(oldSize, size));
        const proof = { oldSize, oldRoot: rootAt(oldSize), size, root: rootAt(size), path };
        expect(verifyConsistency(proof, hash)).toBe(true);
        expect(verifyConsistency({ ...proof, path: [...path, rootAt(1)] }, hash)).toBe(false);
        if (oldSize < size) {
          expect(verifyConsistency({ ...proof, oldRoot: rootAt(size) }, hash)).toBe(false);
          expect(verifyConsistency({ ...proof, root: rootAt(oldSize) }, hash)).toBe(false);
        }
      }
    }
  });

  it("refuse a proof with any one bit changed", () => {
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.nat(), async (size, at, bit) => {
        const index = at % size;
        const path = await (await nodesOf(leaves, size)).hashes(inclusionPath(index, size));
        const bent = path.map((node) => node.slice());
        const node = bent[bit % bent.length];
        if (node === undefined) throw new Error("a tree of two leaves has a path");
        node[bit % 32] = (node[bit % 32] ?? 0) ^ (1 << (bit % 8));
        return !verifyInclusion({ index, size, leaf: leafAt(index), root: rootAt(size), path: bent }, hash);
      }),
    );
  });

  it("answers false, not an exception, for proofs of sizes that are none", () => {
    for (const size of [-1, 0, 1.5, Number.NaN, 2 ** 60]) {
      expect(verifyInclusion({ index: 0, size, leaf: leafAt(0), root: rootAt(2), path: [] }, hash)).toBe(false);
      expect(verifyConsistency({ oldSize: size, oldRoot: rootAt(1), size: 5, root: rootAt(5), path: [] }, hash)).toBe(
        false,
      );
    }
  });
});
