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
    if (over) return { problem: `a line over ${maxBytes} bytes` };
    try {
      return { text: decoder.decode(bytes) };
    } catch {
      return { problem: "a line that is not UTF-8" };
    }
  }

  for await (const chunk of source) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    const batch: InputLine[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      take(bytes.subarray(from, end));
      batch.push(finish());
      from = end + 1;
    }
    if (from < bytes.length) take(bytes.subarray(from));
    if (batch.length > 0) yield batch;
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
  return createReadStream(path);
}
