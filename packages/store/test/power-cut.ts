/**
 * A power cut, without one: the writes and fsyncs of a real process are recorded by strace, and what a disk may hold after a
 * cut is made from them. What was synced is there; of what was written since, nothing or any part of it.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** In the order in which they took effect. `file` is the name below the directory that was watched. */
export type DiskEvent =
  | { readonly kind: "write"; readonly file: string; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly file: string; readonly size: number }
  | { readonly kind: "sync"; readonly file: string }
  | { readonly kind: "remove"; readonly file: string }
  /** Lines that the process had written to standard output by then. */
  | { readonly kind: "said"; readonly text: string };

/** Also where it is installed, a sandbox may forbid to trace. */
export const HAS_STRACE = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "true"]).status === 0;

const CALLS = "write,pwrite64,fsync,fdatasync,ftruncate,unlink";

/** Runs Node with these words, and what it did to the files in the directory, until it had ended. */
export function recordDisk(directory: string, trace: string, words: readonly string[]): DiskEvent[] {
  const strace = ["-f", "-qq", "-y", "-xx", "-s", "1048576", "-e", `trace=${CALLS}`, "-o", trace];
  const { status, stderr } = spawnSync("strace", [...strace, process.execPath, ...words], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the process that was watched failed: ${stderr}`);
  return parse(readFileSync(trace, "latin1"), directory);
}

const LINE = /^(\d+) +(\w+)\((.*)$/;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>.* = (-?\d+)/;

function parse(text: string, directory: string): DiskEvent[] {
  const events: DiskEvent[] = [];
  /** A sync counts when it has returned, a write when it began: what is between is unsynced either way. */
  const waiting = new Map<string, DiskEvent>();
  for (const line of text.split("\n")) {
    const resumed = RESUMED.exec(line);
    const event = resumed === null ? eventIn(line, directory) : waiting.get(resumed[1] ?? "");
    if (resumed !== null) waiting.delete(resumed[1] ?? "");
    if (event === undefined) continue;
    if (event.kind === "sync" && line.includes("<unfinished")) waiting.set(LINE.exec(line)?.[1] ?? "", event);
    else events.push(event);
  }
  return events;
}

function eventIn(line: string, directory: string): DiskEvent | undefined {
  const [, , call = "", rest = ""] = LINE.exec(line) ?? [];
  if (call === "unlink") {
    const path = plain(/^"([^"]*)"/.exec(rest)?.[1] ?? "").toString();
    return dirname(path) === directory ? { kind: "remove", file: basename(path) } : undefined;
  }
  const [, descriptor = "", name = "", more = ""] = /^(\d+)<([^>]*)>(.*)$/.exec(rest) ?? [];
  const bytes = plain(/^, "([^"]*)"/.exec(more)?.[1] ?? "");
  if (call === "write" && descriptor === "1") return { kind: "said", text: bytes.toString() };
  const path = plain(name).toString();
  // The index of the WAL is made anew from it.
  if (dirname(path) !== directory || path.endsWith("-shm")) return undefined;
  const file = basename(path);
  switch (call) {
    case "pwrite64":
      return { kind: "write", file, at: Number(/", \d+, (\d+)/.exec(more)?.[1]), bytes };
    case "ftruncate":
      return { kind: "truncate", file, size: Number(/^, (\d+)/.exec(more)?.[1]) };
    case "fsync":
    case "fdatasync":
      return { kind: "sync", file };
    default:
      // Small files, each written once under another name: they are no part of the store's file.
      return undefined;
  }
}

function plain(hex: string): Buffer {
  return Buffer.from(hex.replaceAll("\\x", ""), "hex");
}

/**
 * What the disk holds after a cut behind the first `count` events.
 * @param survives Of the writes that were not synced: which ones got through all the same, and how much of them.
 */
export function afterCut(
  events: readonly DiskEvent[],
  count: number,
  survives: () => boolean,
): { readonly files: ReadonlyMap<string, Buffer>; readonly said: string } {
  const files = new Map<string, Buffer>();
  const unsynced = new Map<string, DiskEvent[]>();
  let said = "";
  for (const event of events.slice(0, count)) {
    if (event.kind === "said") said += event.text;
    else if (event.kind === "remove") {
      files.delete(event.file);
      unsynced.delete(event.file);
    } else if (event.kind === "sync") {
      for (const done of unsynced.get(event.file) ?? []) apply(files, done);
      unsynced.delete(event.file);
    } else unsynced.set(event.file, [...(unsynced.get(event.file) ?? []), event]);
  }
  for (const events of unsynced.values()) for (const event of events) if (survives()) apply(files, event);
  return { files, said };
}

function apply(files: Map<string, Buffer>, event: DiskEvent): void {
  if (event.kind !== "write" && event.kind !== "truncate") return;
  const old = files.get(event.file) ?? Buffer.alloc(0);
  const size = event.kind === "truncate" ? event.size : Math.max(old.length, event.at + event.bytes.length);
  const grown = Buffer.alloc(size);
  old.copy(grown, 0, 0, size);
  if (event.kind === "write") grown.set(event.bytes, event.at);
  files.set(event.file, grown);
}

/** Puts the files where a store can be opened over them. */
export function restore(directory: string, files: ReadonlyMap<string, Buffer>): void {
  mkdirSync(directory, { mode: 0o700 });
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes, { mode: 0o600 });
}
