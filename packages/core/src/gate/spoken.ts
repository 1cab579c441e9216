/**
 * What a person said at the start of a root run: it clears what came before in a run of this id, once. A process that
 * starts over with the same words has not been spoken to, or a crash would be a way out of every loop.
 */
import type { Motion } from "../breaker/protect/motion.ts";
import { runRowSalt } from "../breaker/protect/rows.ts";
import { toHex } from "../call.ts";
import type { Hash, Random, Store } from "../ports.ts";
import type { Run } from "./run.ts";

const SALT_BYTES = 16;
const DIGEST_BYTES = 16;

/** Undefined where nobody has spoken, or it has been written. @throws SafeRunError when the store cannot be read. */
export async function spokenMotion(
  run: Run,
  { store, hash, random }: { readonly store: Pick<Store, "row">; readonly hash: Hash; readonly random: Random },
): Promise<Motion | undefined> {
  if (!run.prompted || run.depth > 0 || run.id !== run.root) return undefined;
  const words = run.unwritten.find((begun) => begun.words !== undefined)?.words;
  if (words === undefined) return undefined;
  // The same salt as last time, since that is what tells the words apart; unknown to whoever has only guesses.
  const salt = runRowSalt((await store.row("run", run.root))?.value) ?? toHex(random.bytes(SALT_BYTES));
  const salted = new TextEncoder().encode(`saferun/spoken/v1\u0000${salt}\u0000${toHex(hash.sha256(words))}`);
  return { type: "person", root: run.root, salt, said: toHex(hash.sha256(salted).subarray(0, DIGEST_BYTES)) };
}
