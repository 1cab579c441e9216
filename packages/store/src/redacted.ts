/** What whoever writes to a record masks when nobody has said anything else: keys and tokens of well-known services. */
import { createRedactor, keepContent, type Store, type Transaction } from "@saferun/core";
import { nodeHash, nodeRandom } from "./node/ports.ts";

const BY_DEFAULT = createRedactor({});

/** The same store, whose commits hold no secret that can be known as one, and no more of a call than its policies keep. */
export function redacted<Opened extends Store>(store: Opened): Opened {
  return { ...store, commit: (transaction: Transaction) => store.commit(maskedByDefault(transaction)) };
}

function maskedByDefault(transaction: Transaction): Transaction {
  return keepContent(BY_DEFAULT.transaction(transaction, nodeRandom), nodeHash, nodeRandom);
}
