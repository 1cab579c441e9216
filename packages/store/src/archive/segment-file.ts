/** Segments as files: gzip over the lines, written whole or not at all, mode 0600. */
import { once } from "node:events";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { SafeRunError, type SegmentLines } from "@saferun/core";

/** First entry, last entry, first digits of the root over the lines: two archives of one range never meet in one name. */
const NAME = /^(\d{12})-(\d{12})-([0-9a-f]{16})\.jsonl\.gz$/;

export function segmentName(from: number, to: number, lines: string): string {
  const digits = Buffer.from(lines, "base64").toString("hex").slice(0, 16);
  return `${numbered(from)}-${numbered(to - 1)}-${digits}.jsonl.gz`;
}

function numbered(seq: number): string {
  return String(seq).padStart(12, "0");
}

export interface SegmentFile {
  readonly name: string;
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** The segments in a folder, in the order of the log; files of other names are left out. */
export function segmentsIn(directory: string): readonly SegmentFile[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const [, from, last] = NAME.exec(name) ?? [];
      if (from === undefined || last === undefined) return [];
      return { name, path: join(directory, name), from: Number(from), to: Number(last) + 1 };
    })
    .sort((left, right) => left.from - right.from || (left.name < right.name ? -1 : 1));
}

/** Lines of a segment, compressed or not. */
export function linesOfSegment(path: string): SegmentLines {
  return async function* () {
    const file = createReadStream(path);
    const input = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
    file.once("error", (error) => input.destroy(error));
    try {
      yield* linesIn(input);
    } catch (error) {
      throw damaged(error);
    } finally {
      input.destroy();
      file.destroy();
    }
  };
}

async function* linesIn(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

function damaged(cause: unknown): SafeRunError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SafeRunError("log.malformed", `an archive that cannot be read: ${why}`, { cause });
}

/** Files that a process which is gone was writing: nobody goes on with them. */
export function removeUnfinished(directory: string, now: number): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const made = UNFINISHED.test(name) ? statSync(path, { throwIfNoEntry: false })?.mtimeMs : undefined;
    if (made !== undefined && now - made > 3_600_000) rmSync(path, { force: true });
  }
}

const UNFINISHED = /^\.writing-\d+-\d+\.tmp$/;

export interface SegmentWriter {
  write(line: string): Promise<void>;
  /** Durable under its own name when it resolves. */
  finish(name: string): Promise<void>;
  /** Leaves nothing behind. */
  drop(): Promise<void>;
}

export function createSegmentWriter(directory: string): SegmentWriter {
  const temporary = join(directory, `.writing-${process.pid}-${process.hrtime.bigint()}.tmp`);
  const gzip = createGzip();
  const done = pipeline(gzip, createWriteStream(temporary, { flags: "wx", mode: 0o600 }));
  // Waited for in `finish` and `drop`; until then a failure shows in the writes.
  done.catch(() => undefined);
  return {
    async write(line) {
      if (gzip.destroyed) await done;
      if (!gzip.write(`${line}\n`)) await Promise.race([once(gzip, "drain"), done]);
    },
    async finish(name) {
      gzip.end();
      await done;
      sync(temporary);
      renameSync(temporary, join(directory, name));
      sync(directory);
    },
    async drop() {
      gzip.destroy();
      await done.catch(() => undefined);
      rmSync(temporary, { force: true });
    },
  };
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
