/** What somebody else answers, as text of no more than so many bytes. */
import { SafeRunError } from "@saferun/core";

/** @throws SafeRunError `record.unavailable` for a longer one. */
export async function boundedText(answer: Response, mostBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of answer.body ?? []) {
    size += piece.length;
    if (size > mostBytes) throw new SafeRunError("record.unavailable", "an anchor that answers without end");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
