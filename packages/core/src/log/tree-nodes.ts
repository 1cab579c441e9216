/**
 * The inner nodes of one tree, for many proofs at once: every leaf is read and hashed once for all of them. Kept are the
 * roots of blocks of leaves with what is above them, and the nodes within the block that was asked for last.
 */
import { invariant, SafeRunError } from "../errors.ts";
import type { Hash } from "../ports.ts";
import { EMPTY_TREE, type LeafRange, type LogTree, nodeHash, peakRanges } from "./tree.ts";

export interface LeafSource {
  /** Leaf hashes at `from` inclusive to `to` exclusive, in order. */
  leaves(from: number, to: number): Promise<readonly Uint8Array[]>;
  /** The tree over those that it has no more, of which only the peaks are known. Default: it has all. */
  base?(): Promise<LogTree>;
}

export interface TreeNodes {
  readonly size: number;
  readonly root: Uint8Array;
  /**
   * The roots of the subtrees that `inclusionPath` or `consistencyPath` of this size names.
   * @throws SafeRunError `option.invalid` where one needs leaves that the source has no more.
   */
  hashes(path: readonly LeafRange[]): Promise<Uint8Array[]>;
}

const BLOCK_LEVELS = 10;
const BLOCK = 2 ** BLOCK_LEVELS;

/** Undefined where its leaves are not known. */
type Node = Uint8Array | undefined;
/** A node by its level above the leaves and its place from the left. */
type Known = (level: number, index: number) => Node;

/**
 * @param size Leaves of the tree, at least one.
 * @throws SafeRunError `record.busy` where the source has fewer leaves than it should; `option.invalid` where it has none of
 * what the root follows from.
 */
export async function createTreeNodes(size: number, source: LeafSource, hash: Hash): Promise<TreeNodes> {
  invariant(Number.isSafeInteger(size) && size > 0, "nodes of a tree without leaves");
  const base = await baseOf(source);
  const roots: Node[] = [];
  for (let from = 0; from < size; from += BLOCK) roots.push((await blockAt(from, base)).at(-1)?.[0]);
  const peak = peaksOf(base, size);
  const above = levelsOver(roots, (level, index) => peak(level + BLOCK_LEVELS, index), hash);
  const root = above.at(-1)?.[0];
  if (root === undefined) throw archived(base.size);
  let last: { readonly from: number; readonly levels: readonly Node[][] } | undefined;

  /** The nodes over the leaves from a multiple of `BLOCK` on. */
  async function blockAt(from: number, { size: first, peaks }: LogTree): Promise<Node[][]> {
    const to = Math.min(size, from + BLOCK);
    const begin = Math.min(Math.max(from, first), to);
    const leaves = begin < to ? await source.leaves(begin, to) : [];
    if (leaves.length !== to - begin) {
      const message = `entries ${begin} to ${to - 1} are not all there: they were archived meanwhile, or the store is damaged; try again, and verify it`;
      throw new SafeRunError("record.busy", message, { retryable: true });
    }
    const known = peaksOf({ size: first, peaks }, size);
    const before = Array.from({ length: begin - from }, (_, at) => known(0, from + at));
    return levelsOver([...before, ...leaves], (level, index) => known(level, from / 2 ** level + index), hash);
  }

  async function nodeAt({ from, to }: LeafRange): Promise<Node> {
    const level = Math.ceil(Math.log2(to - from));
    if (level >= BLOCK_LEVELS) return above[level - BLOCK_LEVELS]?.[from / 2 ** level];
    const start = from - (from % BLOCK);
    // Its first leaves may have been archived since: then the base has grown.
    if (last?.from !== start) last = { from: start, levels: await blockAt(start, await baseOf(source)) };
    return last.levels[level]?.[(from - start) / 2 ** level];
  }

  return {
    size,
    root,
    async hashes(path) {
      const hashes: Uint8Array[] = [];
      for (const range of path) {
        const node = await nodeAt(range);
        if (node === undefined) throw archived((await baseOf(source)).size);
        hashes.push(node);
      }
      return hashes;
    },
  };
}

async function baseOf(source: LeafSource): Promise<LogTree> {
  return (await source.base?.()) ?? EMPTY_TREE;
}

/**
 * Level over level up to the root; the last node of an odd level has no sibling and stands one level higher (RFC 6962, 2.1:
 * splitting at the largest power of two leaves the same nodes).
 */
function levelsOver(leaves: Node[], known: Known, hash: Hash): Node[][] {
  const levels = [leaves];
  for (let below = leaves; below.length > 1; below = levels.at(-1) ?? []) {
    const level: Node[] = [];
    for (let at = 0; at < below.length; at += 2) {
      const [left, right] = [below[at], below[at + 1]];
      if (at + 1 === below.length) level.push(left);
      else if (left !== undefined && right !== undefined) level.push(nodeHash(left, right, hash));
      else level.push(known(levels.length, at / 2));
    }
    levels.push(level);
  }
  return levels;
}

/** In a tree of `most` leaves: what reaches beyond them is another node there. */
function peaksOf({ size, peaks }: LogTree, most: number): Known {
  const places = peakRanges(size)
    .filter(({ to }) => to <= most)
    .map(({ from, to }) => ({ level: Math.log2(to - from), index: from / (to - from) }));
  return (level, index) => peaks[places.findIndex((place) => place.level === level && place.index === index)];
}

function archived(size: number): SafeRunError {
  const message = `the proof needs entries before ${size}, which are archived: name the archive's folder`;
  return new SafeRunError("option.invalid", message);
}
