/** The inner nodes of the tree that a checkpoint signs, for proofs of many of its entries. */
import { setImmediate } from "node:timers/promises";
import {
  createTreeNodes,
  equalBytes,
  type LogStore,
  leafSource,
  SafeRunError,
  type StateStore,
  type TreeHead,
  type TreeNodes,
} from "@saferun/core";
import { nodeHash } from "@saferun/store";

/** @throws SafeRunError `record.corrupt` where the log is not the one that is signed; `record.busy` while it is archived. */
export async function signedNodes(
  store: Pick<LogStore, "leaves"> & Pick<StateStore, "row">,
  { size, root }: TreeHead,
): Promise<TreeNodes> {
  const { leaves, base } = leafSource(store);
  const source = {
    base,
    async leaves(from: number, to: number) {
      // The whole tree is hashed; others are answered meanwhile.
      await setImmediate();
      return leaves(from, to);
    },
  };
  const nodes = await createTreeNodes(size, source, nodeHash);
  if (equalBytes(nodes.root, root)) return nodes;
  throw new SafeRunError("record.corrupt", "the log is not the one that its last checkpoint signs: verify it");
}
