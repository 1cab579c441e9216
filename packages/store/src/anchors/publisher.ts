/** Hands each checkpoint to the anchors, one after another: each gets the note as the one before has left it. */
import type { Anchor, AnchoredCheckpoint } from "./anchor.ts";

export interface Publisher {
  /** Queues a checkpoint; a failure is told, and made up for by the next one. */
  publish(checkpoint: AnchoredCheckpoint): void;
  /** Resolves with the size that every anchor keeps, once nothing is queued. @throws the last failure, if there was one since. */
  settled(): Promise<number>;
}

/**
 * A witness stands before a file, so that the file holds its signature too. `readBack` comes before each publication: what
 * is behind an anchor must not be written over what shows it. Where it fails, nothing is published.
 */
export function createPublisher(
  anchors: readonly Anchor[],
  readBack: () => Promise<void>,
  onError: (error: unknown) => void,
): Publisher {
  let anchored = 0;
  let failed: { readonly error: unknown } | undefined;
  let queue: Promise<void> = Promise.resolve();
  /** The newest one waits; those that it overtakes are covered by it. */
  let next: AnchoredCheckpoint | undefined;

  async function publishNext(): Promise<void> {
    const checkpoint = next;
    next = undefined;
    if (checkpoint === undefined) return;
    try {
      await readBack();
      let { note } = checkpoint;
      for (const anchor of anchors) note = await anchor.publish({ ...checkpoint, note });
      anchored = checkpoint.size;
      failed = undefined;
    } catch (error) {
      failed = { error };
      onError(error);
    }
  }

  return {
    publish(checkpoint) {
      next = checkpoint;
      queue = queue.then(publishNext);
    },
    async settled() {
      await queue;
      if (failed !== undefined) throw failed.error;
      return anchored;
    },
  };
}
