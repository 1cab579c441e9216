/** `saferun log verify --export FILE`: an export, checked without its store. */
import { createReadStream, statSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import {
  checkExcerpt,
  type ExportHead,
  type ExportLines,
  exportSource,
  readExportHead,
  verifyLog,
} from "@saferun/core";
import { installation, nodeHash, nodeVerifier } from "@saferun/store";
import { printJson } from "../command.ts";
import { EXIT, type ExitCode, failed } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { verificationJson, verificationLines } from "./view.ts";

export interface VerifyExportOptions {
  readonly json?: boolean;
  /** The public key that the asker kept. */
  readonly pinned: string | undefined;
  /** Checkpoints that were kept outside of the store. */
  readonly anchors: readonly string[];
}

export async function verifyExport(io: Io, file: string, options: VerifyExportOptions): Promise<ExitCode> {
  const path = resolve(io.cwd, file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw failed("file.unreadable", `there is no file \`${printable(file)}\``);
  }
  const lines = linesIn(path);
  const head = await readExportHead(lines);
  return head.query === null
    ? verifyWhole(io, lines, head, file, options)
    : verifyExcerpt(io, lines, head, head.query, options);
}

async function verifyWhole(
  io: Io,
  lines: ExportLines,
  head: ExportHead,
  file: string,
  { json, pinned, anchors }: VerifyExportOptions,
): Promise<ExitCode> {
  const kept = installation().lastNote(head.log);
  const claimed = head.key ?? undefined;
  const verification = await verifyLog(await exportSource(lines, nodeHash), {
    hash: nodeHash,
    verifier: nodeVerifier,
    ...(pinned === undefined ? {} : { pinned }),
    ...(claimed === undefined ? {} : { claimed }),
    // The log has gone on since: what was signed later cannot be in the export.
    kept: [...(kept === undefined ? [] : [kept]), ...anchors].filter((note) => signedSize(note) <= head.size),
  });
  const shown = { verification, key: pinned, claimed, anchors: anchors.length };
  if (json) printJson(io, verificationJson(shown));
  else io.print(verificationLines(shown, ` --export ${printable(file)}`, io.style).join("\n"));
  const wanted = pinned === undefined || verification.status === "verified";
  return verification.faults.length === 0 && wanted ? EXIT.fine : EXIT.found;
}

async function verifyExcerpt(
  io: Io,
  lines: ExportLines,
  { log }: ExportHead,
  query: string,
  { json }: VerifyExportOptions,
): Promise<ExitCode> {
  const { entries, faults } = await checkExcerpt(lines, nodeHash);
  if (json) printJson(io, { status: faults.length > 0 ? "faulty" : "excerpt", log, query, entries, faults });
  else {
    const { bad, wait } = io.style;
    for (const { seq, fault, where, message } of faults) {
      io.print(`  entry ${seq}: ${bad(fault)} (${printable(where)}): ${printable(message)}`);
    }
    io.print(
      `${wait("an excerpt")} of ${entries} entries (${printable(query)}): ` +
        `${faults.length === 0 ? "each entry's content is the one its header names" : `${faults.length} faults`}`,
    );
    io.print("that they stand in the log, only a whole export or `saferun log proof` shows");
  }
  return faults.length === 0 ? EXIT.fine : EXIT.found;
}

function linesIn(path: string): ExportLines {
  return () =>
    createInterface({ input: createReadStream(path, { encoding: "utf8" }), crlfDelay: Number.POSITIVE_INFINITY });
}

function signedSize(note: string): number {
  const size = Number(note.split("\n", 2)[1]);
  return Number.isSafeInteger(size) ? size : 0;
}
