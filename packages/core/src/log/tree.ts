/**
 * The Merkle tree of RFC 6962 (section 2.1), append-only.
 *
 * A tree is kept as its peaks: the roots of the perfect subtrees that its size in binary names, largest first. That is
 * all an append or the root needs, so a store holds at most 53 hashes whatever the log's length.
 */
import { invariant } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Hash } from "../ports.ts";

export interface LogTree {
  /** Number of leaves. */
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
}

export const EMPTY_TREE: LogTree = Object.freeze({ size: 0, peaks: Object.freeze([]) });

/** Half-open range of leaf positions. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

const HASH_BYTES = 32;

// Hashing is synchronous and keeps nothing of its input, so that one buffer serves all: a verifier makes millions of hashes.
const leafInput = new Uint8Array(1 + LIMITS.headerBytes);
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES);

/** SHA-256(0x00 ‖ bytes). */
export function leafHash(bytes: Uint8Array, hash: Hash): Uint8Array {
  const size = 1 + bytes.length;
  const input = size <= leafInput.length ? leafInput.subarray(0, size) : new Uint8Array(size);
  input[0] = LEAF_PREFIX;
  input.set(bytes, 1);
  return hash.sha256(input);
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array, hash: Hash): Uint8Array {
  const size = 1 + left.length + right.length;
  const input = size === nodeInput.length ? nodeInput : new Uint8Array(size);
  input[0] = NODE_PREFIX;
  input.set(left, 1);
  input.set(right, 1 + left.length);
  return hash.sha256(input);
}

export function appendLeaf(tree: LogTree, leaf: Uint8Array, hash: Hash): LogTree {
  const peaks = tree.peaks.slice();
  addPeak(peaks, tree.size, leaf, hash);
  return { size: tree.size + 1, peaks };
}

/** A tree that grows in place: for many leaves after one another. */
export interface TreeBuilder {
  readonly size: number;
  append(leaf: Uint8Array): void;
  /** The root of a perfect subtree of `leaves` leaves, which must come next and at a multiple of its size. */
  appendSubtree(root: Uint8Array, leaves: number): void;
  /** The tree as it stands now; what is appended later does not change it. */
  tree(): LogTree;
}

export function createTreeBuilder(hash: Hash, from: LogTree = EMPTY_TREE): TreeBuilder {
  const peaks = from.peaks.slice();
  let { size } = from;
  return {
    get size() {
      return size;
    },
    append(leaf) {
      addPeak(peaks, size, leaf, hash);
      size++;
    },
    appendSubtree(root, leaves) {
      invariant(size % leaves === 0, "a subtree that does not stand at a multiple of its size");
      addPeak(peaks, size / leaves, root, hash);
      size += leaves;
    },
    tree: () => ({ size, peaks: peaks.slice() }),
  };
}

/** Each trailing 1 of the size is a perfect subtree that the new node completes. */
function addPeak(peaks: Uint8Array[], size: number, leaf: Uint8Array, hash: Hash): void {
  let node = leaf;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = peaks.pop();
    invariant(left !== undefined, "a tree with fewer peaks than its size names");
    node = nodeHash(left, node, hash);
  }
  peaks.push(node);
}

/** The tree's root; of the empty tree the hash of nothing. */
export function treeRoot(tree: LogTree, hash: Hash): Uint8Array {
  const last = tree.peaks.at(-1);
  if (last === undefined) return hash.sha256(new Uint8Array(0));
  return tree.peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left, right, hash), last);
}

/** How many peaks a tree of this size has. */
export function peakCount(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/** The subtrees whose roots prove that leaf `index` is in the tree of `size`, in the proof's order (leaf to root). */
export function inclusionPath(index: number, size: number): LeafRange[] {
  invariant(isPosition(index) && isPosition(size) && index < size, "an inclusion proof of a leaf outside the tree");
  const path: LeafRange[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from);
    if (index < middle) {
      path.push({ from: middle, to });
      to = middle;
    } else {
      path.push({ from, to: middle });
      from = middle;
    }
  }
  return path.reverse();
}

/** The subtrees whose roots prove that the tree of `size` grew out of the tree of `old` (RFC 6962, 2.1.2). */
export function consistencyPath(old: number, size: number): LeafRange[] {
  invariant(isPosition(old) && isPosition(size) && old >= 1 && old <= size, "a consistency proof of a tree not within");
  const path: LeafRange[] = [];
  let [from, to, known] = [0, size, true];
  while (old < to) {
    const middle = from + largestPowerBelow(to - from);
    if (old <= middle) {
      path.push({ from: middle, to });
      to = middle;
    } else {
      path.push({ from, to: middle });
      from = middle;
      known = false;
    }
  }
  // A subtree that is the whole old tree is known to the asker and left out.
  if (!known) path.push({ from, to });
  return path.reverse();
}

/** The perfect subtrees that a tree's peaks are the roots of, from the left. */
export function peakRanges(size: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  for (let from = 0; from < size; ) {
    let leaves = 1;
    while (leaves * 2 <= size - from) leaves *= 2;
    ranges.push({ from, to: from + leaves });
    from += leaves;
  }
  return ranges;
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function isPosition(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
