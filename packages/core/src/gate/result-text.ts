/** What the detectors read of what a tool gave back. */
import { encodePart } from "../log/part.ts";

const encoder = new TextEncoder();

/**
 * A text as it is, anything else as it is `recorded`, in UTF-8. Total and bounded: what has no JSON form is known by what the
 * record says of it, and what is too large for the record by its length.
 */
export function resultText(result: unknown, recorded: Uint8Array = encodePart(result)): Uint8Array {
  return typeof result === "string" ? encoder.encode(result) : recorded;
}
