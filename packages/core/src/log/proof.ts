/** Verification of inclusion and consistency proofs (RFC 9162, 2.1.3.2 and 2.1.4.2). Total: a malformed proof is false. */

import type { Hash } from "../ports.ts";
import { equalBytes } from "../value/bytes.ts";
import { nodeHash } from "./tree.ts";

/** Hashes in a proof at most: a tree of 2^63 leaves has no longer one. */
export const MOST_HASHES = 64;

export interface InclusionProof {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** True only when `leaf` is at `index` in the tree of `size` leaves with this `root`. */
export function verifyInclusion(proof: InclusionProof, hash: Hash): boolean {
  const { index, size } = proof;
  if (!isPosition(index) || !isPosition(size) || index >= size) return false;
  let [position, last, node] = [index, size - 1, proof.leaf];
  for (const sibling of proof.path) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node, hash);
      // A right edge without a left sibling on this level: go up to where it has one.
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      node = nodeHash(node, sibling, hash);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && equalBytes(node, proof.root);
}

export interface ConsistencyProof {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** True only when the tree of `size` with `root` has the tree of `oldSize` with `oldRoot` as its beginning. */
export function verifyConsistency(proof: ConsistencyProof, hash: Hash): boolean {
  const { oldSize, size, oldRoot, root } = proof;
  if (!isPosition(oldSize) || !isPosition(size) || oldSize > size || oldSize === 0) return false;
  if (oldSize === size) return proof.path.length === 0 && equalBytes(oldRoot, root);
  // An old tree that is a perfect subtree is its own first node.
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof.path] : proof.path;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [position, last] = [oldSize - 1, size - 1];
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  let [oldNode, node] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      oldNode = nodeHash(sibling, oldNode, hash);
      node = nodeHash(sibling, node, hash);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      node = nodeHash(node, sibling, hash);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && equalBytes(oldNode, oldRoot) && equalBytes(node, root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function isPosition(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
