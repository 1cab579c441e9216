/**
 * Where an export goes. A file has a note beside it (`FILE.resume`) as long as it is not whole: what is exported, so that
 * an export which was cut off goes on with the same, and is the same in the end.
 */

import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { Writable } from "node:stream";
import { formatExportLine, parseExportLine } from "@saferun/core";
import { failed, usage } from "../exit.ts";
import { printable } from "../output/printable.ts";
import type { ExportPlan } from "./export-plan.ts";

/** What is there already. */
export interface ExportStart {
  readonly isNew: boolean;
  readonly entries: number;
  /** The first entry that is missing, and the last size of which the checkpoint is there. */
  readonly next: number;
  readonly checkpoint: number;
  /** Its last line is there too. */
  readonly isWhole: boolean;
}

export interface ExportFile {
  readonly plan: ExportPlan;
  readonly start: ExportStart;
  write(text: string): Promise<void>;
  /** All of it is there. */
  end(): Promise<void>;
}

/** Nothing is there yet. */
export const NEW: ExportStart = { isNew: true, entries: 0, next: 0, checkpoint: 0, isWhole: false };

export function toStream(stream: Writable, plan: ExportPlan): ExportFile {
  return {
    plan,
    start: NEW,
    async write(text) {
      if (text !== "" && !stream.write(text)) await once(stream, "drain");
    },
    end: async () => {},
  };
}

/** @throws CommandError for a file that is there already, and for one that is of another export. */
export function openExportFile(path: string, wanted: ExportPlan, resume: boolean): ExportFile | "complete" {
  const shown = `\`${printable(path)}\``;
  const isCut = existsSync(notePath(path));
  if (!resume) {
    if (isCut)
      throw usage(`${shown} was cut off: go on with --resume, or remove it and \`${printable(notePath(path))}\``);
    if (existsSync(path)) throw usage(`${shown} exists: name another file`);
    writeNote(path, wanted);
    return onFile(path, openSync(path, "wx", 0o600), wanted, NEW);
  }
  if (!isCut) {
    if (existsSync(path)) return "complete";
    throw usage(`there is no ${shown} to go on with`);
  }
  const plan = readNote(path);
  const { log, query } = plan.head;
  if (log !== wanted.head.log || query !== wanted.head.query || plan.format !== wanted.format) {
    throw usage(`${shown} was begun with another store, format or query: give the same again`);
  }
  if (wanted.unsealed && !plan.unsealed) throw usage(`${shown} was begun without --unseal: go on without it`);
  const file = openSync(path, existsSync(path) ? "r+" : "wx+", 0o600);
  return onFile(path, file, plan, cutToWholeLines(file, plan));
}

/** Whether an export that was cut off was begun with `--unseal`. @throws CommandError for a note that cannot be read. */
export function wasUnsealed(path: string): boolean {
  return existsSync(notePath(path)) && readNote(path).unsealed;
}

function onFile(path: string, file: number, plan: ExportPlan, start: ExportStart): ExportFile {
  let at = fstatSync(file).size;
  return {
    plan,
    start,
    async write(text) {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
      at += bytes.length;
    },
    async end() {
      fsyncSync(file);
      closeSync(file);
      rmSync(notePath(path));
    },
  };
}

function notePath(path: string): string {
  return `${path}.resume`;
}

function writeNote(path: string, { format, unsealed, head, now }: ExportPlan): void {
  const note = { format, unsealed, now, head: formatExportLine({ kind: "head", head }) };
  writeFileSync(notePath(path), `${JSON.stringify(note)}\n`, { mode: 0o600, flag: "wx", flush: true });
}

function readNote(path: string): ExportPlan {
  try {
    const { format, unsealed, now, head } = JSON.parse(readFileSync(notePath(path), "utf8")) as Record<string, unknown>;
    const line = parseExportLine(String(head));
    const isFormat = format === "jsonl" || format === "csv";
    if (isFormat && typeof unsealed === "boolean" && typeof now === "number" && line.kind === "head") {
      return { format, unsealed, now, head: line.head };
    }
  } catch {
    // Said below.
  }
  throw failed("export.unreadable", `\`${printable(notePath(path))}\` does not say what was exported: begin anew`);
}

const LINE_BREAK = 0x0a;
const BLOCK = 65_536;

/** Cuts off a line that was not written whole, or an entry whose proof is missing, and reads how far the lines go. */
function cutToWholeLines(file: number, { format, head }: ExportPlan): ExportStart {
  const size = lastBreak(file, fstatSync(file).size) + 1;
  ftruncateSync(file, size);
  if (size === 0) return NEW;
  let [entries, next, checkpoint] = [0, 0, 0];
  let isWhole = false;
  /** Where an entry begins whose proof has not come yet. */
  let unproven: number | undefined;
  for (const { line, at } of lines(file)) {
    const seq = format === "csv" ? /^(\d+),/.exec(line)?.[1] : /^\{"seq":(\d+),/.exec(line)?.[1];
    if (head.signed !== undefined && seq !== undefined) unproven = at;
    if (line.startsWith('{"proof"')) unproven = undefined;
    if (seq !== undefined) {
      entries++;
      next = Number(seq) + 1;
    }
    const mark = format === "jsonl" ? /^\{"checkpoint":\{"size":(\d+),/.exec(line)?.[1] : undefined;
    if (mark !== undefined) checkpoint = Number(mark);
    isWhole = format === "jsonl" && line.startsWith('{"end"');
  }
  if (unproven === undefined) return { isNew: false, entries, next, checkpoint, isWhole };
  ftruncateSync(file, unproven);
  return { isNew: false, entries: entries - 1, next: next - 1, checkpoint, isWhole };
}

/** Position of the last line break before `end`; -1 when there is none. */
function lastBreak(file: number, end: number): number {
  const block = Buffer.alloc(BLOCK);
  for (let from = end; from > 0; ) {
    const start = Math.max(0, from - BLOCK);
    const read = readSync(file, block, 0, from - start, start);
    const at = block.subarray(0, read).lastIndexOf(LINE_BREAK);
    if (at >= 0) return start + at;
    from = start;
  }
  return -1;
}

/** The beginnings of the lines: as much as says what they are. */
function* lines(file: number): Generator<{ readonly line: string; readonly at: number }> {
  const block = Buffer.alloc(BLOCK * 16);
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0; ; ) {
    const read = readSync(file, block, 0, block.length, at);
    if (read === 0) return;
    const bytes = Buffer.concat([rest, block.subarray(0, read)]);
    const begin = at - rest.length;
    at += read;
    let from = 0;
    for (let end = bytes.indexOf(LINE_BREAK); end >= 0; end = bytes.indexOf(LINE_BREAK, from)) {
      yield { line: bytes.toString("latin1", from, Math.min(end, from + 64)), at: begin + from };
      from = end + 1;
    }
    // Of a line longer than a block only its beginning counts.
    rest = Buffer.from(bytes.subarray(from, bytes.length));
  }
}
