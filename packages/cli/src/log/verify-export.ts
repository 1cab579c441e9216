/** `saferun log verify --export FILE`: an export, checked without its store. */
import { createReadStream, statSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import {
  checkExcerpt,
  type ExcerptCheck,
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
  { json, pinned, anchors }: VerifyExportOptions,
): Promise<ExitCode> {
  const kept = installation().lastNote(log);
  const check = await checkExcerpt(lines, {
    hash: nodeHash,
    verifier: nodeVerifier,
    ...(pinned === undefined ? {} : { pinned }),
    kept: [...(kept === undefined ? [] : [kept]), ...anchors],
  });
  if (json) printJson(io, { ...check, log, query });
  else io.print(excerptLines(check, query, anchors.length, io).join("\n"));
  return check.status === "faulty" ? EXIT.found : EXIT.fine;
}

function excerptLines(check: ExcerptCheck, query: string, anchors: number, io: Io): string[] {
  const { status, entries, erased, size, key, anchored, faults } = check;
  const { good, bad, wait, dim } = io.style;
  if (status === "faulty") {
    const lines = faults.map(
      ({ seq, fault, where, message }) => `  entry ${seq}: ${bad(fault)} (${printable(where)}): ${printable(message)}`,
    );
    const count = `${faults.length} ${faults.length === 1 ? "fault" : "faults"}`;
    return [`${bad("faulty")}: ${count} in an excerpt of ${entries} entries (${printable(query)})`, ...lines];
  }
  const what = `each of ${entries} entries (${printable(query)}) is in the log of ${size} entries`;
  const signer = printable(key ?? "none");
  const head =
    status === "verified"
      ? [`${good("verified")}: ${what} that key ${signer} has signed`]
      : [
          `${wait("self-consistent, signer not proven")}: ${what} that it says key ${signer} has signed`,
          "  give the public key that you kept elsewhere with --pin",
        ];
  const gone = erased === 0 ? [] : [dim(`${erased} parts have no content here: erased, or taken out of this file`)];
  const outside = anchored
    ? ["a checkpoint that was kept elsewhere signs the same log"]
    : anchors === 0
      ? []
      : [wait(`none of the checkpoints given is over ${size} entries: an excerpt is held against no other`)];
  return [...head, ...gone, ...outside, dim("nothing is shown about entries that were left out of it")];
}

function linesIn(path: string): ExportLines {
  return () =>
    createInterface({ input: createReadStream(path, { encoding: "utf8" }), crlfDelay: Number.POSITIVE_INFINITY });
}

function signedSize(note: string): number {
  const size = Number(note.split("\n", 2)[1]);
  return Number.isSafeInteger(size) ? size : 0;
}
