/** What whoever writes to a record masks when nobody has said anything else: keys and tokens of well-known services. */
import { createRedactor, keepContent, type Store, type Transaction } from "@saferun/core";
import { nodeHash, nodeRandom } from "./node/ports.ts";
import type { StoreKeys } from "./node/seal-keys.ts";

const BY_DEFAULT = createRedactor({});

/**
 * The same store, whose commits hold no secret that can be known as one, and no more of a call than its policies keep.
 * @param keys What content is sealed with; closed with the store.
 */
export function redacted<Opened extends Store>(store: Opened, keys: StoreKeys): Opened {
  const sealing = { sealer: keys, log: store.logId };
  const kept = (transaction: Transaction): Transaction =>
    keepContent(BY_DEFAULT.transaction(transaction, nodeRandom), nodeHash, nodeRandom, sealing);
  return {
    ...store,
    commit: async (transaction: Transaction) => store.commit(kept(transaction)),
    close: async () => {
      await store.close();
      keys.close();
    },
  };
}
