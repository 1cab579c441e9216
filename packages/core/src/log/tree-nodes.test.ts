import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hash } from "../ports.ts";
import { verifyConsistency, verifyInclusion } from "./proof.ts";
import { appendLeaf, consistencyPath, EMPTY_TREE, inclusionPath, type LogTree, leafHash, treeRoot } from "./tree.ts";
import { createTreeNodes, type LeafSource } from "./tree-nodes.ts";

const hash: Hash = { sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()) };
const MOST = 5_000;
const leaves = Array.from({ length: MOST }, (_, index) => leafHash(new TextEncoder().encode(String(index)), hash));
const trees: LogTree[] = [EMPTY_TREE];
for (const leaf of leaves) trees.push(appendLeaf(trees.at(-1) ?? EMPTY_TREE, leaf, hash));

const treeAt = (size: number): LogTree => trees[size] ?? EMPTY_TREE;
const rootAt = (size: number): Uint8Array => treeRoot(treeAt(size), hash);

/** Of the leaves before `first` only the peaks are there. */
function sourceFrom(first: number): LeafSource {
  return {
    async leaves(from, to) {
      expect(from).toBeGreaterThanOrEqual(first);
      return leaves.slice(from, to);
    },
    base: async () => treeAt(first),
  };
}

const sizes = fc.oneof(fc.integer({ min: 1, max: MOST }), fc.constantFrom(1, 1_023, 1_024, 1_025, 2_048, 2_049, 4_096));

describe("the nodes of a tree [L2~]", () => {
  it("prove leaves and growth across blocks, whatever was archived before", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), fc.nat(), async (size, first, one, other) => {
        const base = first % (size + 1);
        const nodes = await createTreeNodes(size, sourceFrom(base), hash);
        const root = rootAt(size);
        expect(nodes.root).toEqual(root);
        if (base < size) {
          const index = base + (one % (size - base));
          const leaf = leaves[index] ?? new Uint8Array(0);
          const path = await nodes.hashes(inclusionPath(index, size));
          expect(verifyInclusion({ index, size, leaf, root, path }, hash)).toBe(true);
        }
        const oldSize = Math.max(1, base + (other % (size - base + 1)));
        const path = await nodes.hashes(consistencyPath(oldSize, size));
        expect(verifyConsistency({ oldSize, oldRoot: rootAt(oldSize), size, root, path }, hash)).toBe(true);
      }),
    );
  });

  it("hash every leaf once, and again only the blocks that are asked for", async () => {
    let hashes = 0;
    const counted: Hash = {
      sha256(bytes) {
        hashes++;
        return hash.sha256(bytes);
      },
    };
    const nodes = await createTreeNodes(MOST, sourceFrom(0), counted);
    expect(hashes).toBe(MOST - 1);
    for (let index = 0; index < MOST; index++) await nodes.hashes(inclusionPath(index, MOST));
    expect(hashes).toBeLessThan(2 * MOST);
  });

  it("of leaves that are archived nothing is made up", async () => {
    const nodes = await createTreeNodes(3_000, sourceFrom(1_500), hash);
    await expect(nodes.hashes(inclusionPath(7, 3_000))).rejects.toMatchObject({ code: "option.invalid" });
    await expect(createTreeNodes(1_400, sourceFrom(1_500), hash)).rejects.toMatchObject({ code: "option.invalid" });
  });

  it("a source that lacks leaves gives no proof", async () => {
    const source = { leaves: async (from: number, to: number) => leaves.slice(from, Math.min(to, 2_000)) };
    await expect(createTreeNodes(3_000, source, hash)).rejects.toMatchObject({ code: "record.busy", retryable: true });
  });
});
