/** Bytes → lines, with a bound on each: a stream without line breaks must not fill the memory. */
import { createReadStream, statSync } from "node:fs";
import { resolve } from "node:path";
import { LIMITS } from "@saferun/core";
import { usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";

export type InputLine = { readonly text: string } | { readonly problem: string };

/** Arguments, prompt, facts and results of one call. */
const LINE_BYTES = 4 * LIMITS.argsBytes;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = "\ufeff";
/** Bytes of a file that are read in one go. */
const CHUNK = 1_048_576;
const NOTHING = new Uint8Array(0);

/** Lines in the order of the input, in batches as they arrive. The end of the file ends the last line. */
export async function* lineBatches(
  source: AsyncIterable<Uint8Array | string>,
  maxBytes: number = LINE_BYTES,
): AsyncGenerator<InputLine[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let pieces: Uint8Array[] = [];
  let length = 0;

  function take(piece: Uint8Array): void {
    length += piece.length;
    if (length <= maxBytes) pieces.push(piece);
  }

  function finish(): InputLine {
    const [only = NOTHING, ...others] = pieces;
    const bytes = others.length === 0 ? only : Buffer.concat(pieces);
    const over = length > maxBytes;
    pieces = [];
    length = 0;
    return over ? { problem: `a line over ${maxBytes} bytes` } : decoded(bytes);
  }

  function decoded(bytes: Uint8Array): InputLine {
    try {
      return { text: decoder.decode(bytes) };
    } catch {
      return { problem: "a line that is not UTF-8" };
    }
  }

  /** Whole lines without the last line's end: together where they can be, else each on its own. */
  function whole(bytes: Uint8Array): InputLine[] {
    const together = bytes.length <= maxBytes ? decoded(bytes) : { problem: "" };
    // A mark of the byte order at the start of a line is no part of its text: only the decoder of that line takes it away.
    if ("text" in together && !together.text.includes(BYTE_ORDER_MARK)) {
      return together.text.split("\n").map((text) => ({ text }));
    }
    const lines: InputLine[] = [];
    for (let from = 0; from <= bytes.length; ) {
      const found = bytes.indexOf(NEWLINE, from);
      const end = found < 0 ? bytes.length : found;
      take(bytes.subarray(from, end));
      lines.push(finish());
      from = end + 1;
    }
    return lines;
  }

  for await (const chunk of source) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    const first = bytes.indexOf(NEWLINE);
    if (first < 0) {
      take(bytes);
      continue;
    }
    const last = bytes.lastIndexOf(NEWLINE);
    take(bytes.subarray(0, first));
    const batch = [finish()];
    if (last > first) batch.push(...whole(bytes.subarray(first + 1, last)));
    if (last + 1 < bytes.length) take(bytes.subarray(last + 1));
    yield batch;
  }
  if (length > 0) yield [finish()];
}

/** A file of calls, or standard input for `-`. @throws CommandError when there is no such file. */
export function callSource(io: Io, name: string): AsyncIterable<Uint8Array | string> {
  if (name === "-") return io.stdin;
  const path = resolve(io.cwd, name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw usage(`there is no file \`${printable(name)}\``);
  if (found.isDirectory()) throw usage(`\`${printable(name)}\` is a directory; name a file of calls`);
  return createReadStream(path, { highWaterMark: CHUNK });
}
