/** `saferun log verify` on what was archived: a folder beside its store, or one file alone. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SafeRunError, type SegmentVerification, type Store, type Verification, verifySegment } from "@saferun/core";
import { type ArchiveVerification, linesOfSegment, nodeHash, nodeVerifier, verifyArchive } from "@saferun/store";
import { printJson } from "../command.ts";
import { EXIT, type ExitCode, failed } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import type { Style } from "../output/style.ts";
import { archiveOf } from "./archive.ts";

/** Every file in the folder, against each other and against the log that names them. */
export function checkArchive(
  io: Io,
  store: Store,
  { archivedTo, archived }: Verification,
  folder: string,
  pinned: string | undefined,
): Promise<ArchiveVerification> {
  return verifyArchive(archiveOf(io, folder, store), {
    log: store.logId,
    to: archivedTo,
    named: archived,
    ...(pinned === undefined ? {} : { pinned }),
  });
}

export function archiveLines({ segments, to, faults }: ArchiveVerification, style: Style): string[] {
  const files = `${segments} ${segments === 1 ? "file" : "files"}`;
  if (faults.length === 0) {
    return [to === 0 ? "nothing is archived" : `${style.good("archive whole")}: entries 0 to ${to - 1} in ${files}`];
  }
  return [
    `${style.bad("archive faulty")}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"} in ${files}`,
    ...faults.map(
      ({ file, seq, fault, message }) =>
        `  ${printable(file)}, entry ${seq}: ${style.bad(fault)}: ${printable(message)}`,
    ),
  ];
}

/** By its name, or by what its first line says. */
export function isSegment(io: Io, file: string): boolean {
  if (file.endsWith(".jsonl.gz")) return true;
  const path = resolve(io.cwd, file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const begin = Buffer.alloc(ARCHIVE_LINE.length);
  const opened = openSync(path, "r");
  try {
    readSync(opened, begin);
  } finally {
    closeSync(opened);
  }
  return begin.toString("latin1") === ARCHIVE_LINE;
}

const ARCHIVE_LINE = '{"saferun":"log-archive/v1"';

export async function verifySegmentFile(
  io: Io,
  file: string,
  { pin, json }: { readonly pin?: string; readonly json?: boolean },
): Promise<ExitCode> {
  const path = resolve(io.cwd, file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw failed("file.unreadable", `there is no file \`${printable(file)}\``);
  }
  const pinned = pin?.trim();
  const ports = { hash: nodeHash, verifier: nodeVerifier };
  const found = await verifySegment(linesOfSegment(path), {
    ...ports,
    ...(pinned === undefined ? {} : { pinned }),
  }).catch((error: unknown) => {
    if (!(error instanceof SafeRunError) || error.code !== "log.malformed") throw error;
    return error.message;
  });
  if (typeof found === "string") {
    if (json) printJson(io, { kind: "archive", status: "faulty", reason: found });
    else io.print(`${io.style.bad("faulty")}: \`${printable(file)}\`: ${printable(found)}`);
    return EXIT.found;
  }
  if (json) printJson(io, segmentJson(found));
  else io.print(segmentLines(found, io.style).join("\n"));
  return found.faults.length === 0 ? EXIT.fine : EXIT.found;
}

function segmentJson({ status, log, from, to, lines, erased, key, faults }: SegmentVerification) {
  return { kind: "archive", status, log, from, to, lines, erased, key, faults: faults.map((fault) => ({ ...fault })) };
}

function segmentLines({ status, log, from, to, erased, key, faults }: SegmentVerification, style: Style): string[] {
  const what = `entries ${from} to ${to - 1} of log ${printable(log)}`;
  const content = erased === 0 ? [] : [`${erased} parts were erased before it was archived`];
  if (status === "verified") return [`${style.good("verified")}: ${what}, sealed by ${printable(key)}`, ...content];
  if (status === "self-consistent") {
    const line = `${style.wait("self-consistent, signer not proven")}: ${what}, sealed by ${printable(key)}`;
    return [line, ...content, "give the key that you kept elsewhere with --pin"];
  }
  return [
    `${style.bad("faulty")}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"} in ${what}`,
    ...faults.map(
      ({ seq, fault, where, message }) =>
        `  entry ${seq}: ${style.bad(fault)} (${printable(where)}): ${printable(message)}`,
    ),
  ];
}
