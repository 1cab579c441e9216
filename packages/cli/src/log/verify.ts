/** `saferun log verify`: the store, or a file that was made from it, checked offline. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import {
  checkConsistency,
  checkInclusion,
  cosignedAt,
  isBundle,
  type NoteKey,
  type ProofResult,
  parseConsistency,
  parseHeader,
  parseInclusion,
  parseNote,
  parseNoteKey,
  parseWitnessKey,
  signedCheckpoint,
  splitNotes,
} from "@saferun/core";
import { iso } from "@saferun/server/wire";
import {
  installation,
  nodeHash,
  nodeVerifier,
  notesOfAnchor,
  type ReadOnlyStore,
  verifyStoreAndTables,
} from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { bundleInPage } from "../replay/evidence-page.ts";
import { storeArgument, storeOption, withReadOnlyStore } from "../store.ts";
import { claimedKey } from "./claimed-key.ts";
import { archiveLines, checkArchive, isSegment, verifySegmentFile } from "./verify-archive.ts";
import { checkBundle } from "./verify-bundle.ts";
import { type VerifyExportOptions, verifyExport } from "./verify-export.ts";
import { verificationJson, verificationLines } from "./view.ts";

interface Options extends Shared {
  readonly store: string;
  readonly pin?: string;
  readonly anchor?: readonly string[];
  readonly export?: string;
  readonly witness?: string;
  readonly archive?: string;
}

export function registerVerify(parent: Command, { io, run }: CommandSetup): void {
  const verify = parent
    .command("verify")
    .summary("check that nothing was changed, removed, inserted or reordered")
    .description(
      "Reads the whole log and checks every entry, the tree and its signatures. Writes nothing; works while an agent runs.\n" +
        "Only with --pin, a public key that you kept elsewhere, the answer can be `verified`. With --anchor it also finds\n" +
        "what the holder of the key has changed. Exit 1: a fault, or nothing that the key given has signed.\n" +
        "With a file, a checkpoint, a proof or an archived segment, it needs no store.",
    )
    .argument("[file]", "a checkpoint, a proof, a run's evidence or an archived segment, instead of the store")
    .addOption(storeOption())
    .option("--pin <vkey>", "the public key as `saferun log key` printed it")
    .option("--anchor <file...>", "checkpoints that were kept outside of the store")
    .option("--export <file>", "an export of the log, instead of the store")
    .option("--archive <folder>", "and the files that its first entries were archived to")
    .option("--witness <vkey>", "of these, count only what this witness has signed")
    .action(
      run((file: string | undefined, options: Options) =>
        options.export !== undefined
          ? verifyExport(io, options.export, exportOptions(io, options))
          : file !== undefined && isSegment(io, file)
            ? verifySegmentFile(io, file, options)
            : file === undefined
              ? withReadOnlyStore(io, options.store, (store) => checkStore(io, store, options))
              : checkFile(io, file, options),
      ),
    );
  describe(verify, [
    "saferun log verify",
    "saferun log verify --pin 'saferun.local/1f…+5a7c0e11+AQ…' --anchor /mnt/worm/my-agent.checkpoints",
    'saferun log verify entry-17.tlog-proof --pin "$(cat ~/keys/my-agent.vkey)"',
  ]);
}

function exportOptions(io: Io, { json, pin, anchor = [], witness }: Options): VerifyExportOptions {
  return {
    pinned: pin?.trim(),
    anchors: anchor.flatMap((file) => witnessed(notesIn(io, file), file, witness)),
    ...(json === undefined ? {} : { json }),
  };
}

async function checkStore(io: Io, store: ReadOnlyStore, options: Options): Promise<ExitCode> {
  // Nearly all that a verification makes is garbage at once: V8 would give half as much memory again to it for nothing.
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=25");
  const claimed = await claimedKey(store);
  const pinned = options.pin?.trim();
  const kept = installation().lastNote(store.logId);
  const anchors = (options.anchor ?? []).flatMap((file) => witnessed(notesIn(io, file), file, options.witness));
  const verification = await verifyStoreAndTables(store, {
    ...(pinned === undefined ? {} : { pinned }),
    ...(claimed === undefined ? {} : { claimed }),
    kept: [...(kept === undefined ? [] : [kept]), ...anchors],
  });
  const shown = { verification, key: pinned, claimed, anchors: anchors.length };
  const archive =
    options.archive === undefined ? undefined : await checkArchive(io, store, verification, options.archive, pinned);
  if (options.json) printJson(io, { ...verificationJson(shown), ...(archive === undefined ? {} : { archive }) });
  else {
    const lines = verificationLines(shown, storeArgument(options.store), io.style);
    io.print([...lines, ...(archive === undefined ? [] : archiveLines(archive, io.style))].join("\n"));
  }
  if (archive !== undefined && archive.faults.length > 0) return EXIT.found;
  // Who removes every signature leaves no fault behind: a key was given, so that only its signature is enough.
  const wanted = pinned === undefined || verification.status === "verified";
  return verification.faults.length === 0 && wanted ? EXIT.fine : EXIT.found;
}

function notesIn(io: Io, file: string): readonly string[] {
  const notes = notesOfAnchor(readText(io, file));
  if (notes === undefined) {
    throw failed("anchor.invalid", `\`${printable(file)}\` holds no checkpoints: it is what an anchor has written`);
  }
  return notes;
}

/** Those that the witness has signed; all of them where none is named. */
function witnessed(notes: readonly string[], file: string, witness: string | undefined): readonly string[] {
  if (witness === undefined) return notes;
  const key = parseWitnessKey(witness.trim(), nodeHash);
  const own = notes.filter((text) => {
    const note = parseNote(text);
    return note !== undefined && cosignedAt(note, key, nodeVerifier) !== undefined;
  });
  if (own.length > 0) return own;
  throw failed("anchor.invalid", `\`${printable(file)}\` holds no checkpoint that witness \`${key.name}\` has signed`);
}

function readText(io: Io, file: string): string {
  try {
    return readFileSync(resolve(io.cwd, file), "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it is no text";
    if (code === "ENOENT") throw failed("file.unreadable", `there is no file \`${printable(file)}\``);
    const why = code === "EISDIR" ? "it is a directory; an archive is given with --archive" : code;
    throw failed("file.unreadable", `\`${printable(file)}\` cannot be read: ${why}`);
  }
}

function checkFile(io: Io, file: string, { pin, json }: Options): ExitCode {
  const found = readText(io, file);
  const text = bundleInPage(found) ?? found;
  if (isBundle(text)) {
    return checkBundle(io, text, {
      ...(json === undefined ? {} : { json }),
      ...(pin === undefined ? {} : { pin: pin.trim() }),
    });
  }
  if (pin === undefined) throw usage("a file proves something only with the public key that you kept: --pin");
  const key = parseNoteKey(pin.trim(), nodeHash);
  const checked = checkText(text, key);
  if (checked === undefined) throw usage(`\`${printable(file)}\` is no checkpoint, proof or export of a log`);
  const { what, result } = checked;
  if (json) printJson(io, fileJson(checked));
  else if (result.ok) io.print(`${io.style.good("verified")}: ${what}, by key ${printable(pin.trim())}`);
  else io.print(`${io.style.bad("not verified")}: ${printable(result.reason)}`);
  return result.ok ? EXIT.fine : EXIT.found;
}

interface CheckedFile {
  readonly kind: "checkpoint" | "inclusion" | "consistency";
  /** What the file says, in words. */
  readonly what: string;
  readonly result: ProofResult;
}

function fileJson({ kind, result }: CheckedFile) {
  if (!result.ok) return { kind, status: "faulty", reason: result.reason };
  const { checkpoint, old } = result;
  return { kind, status: "verified", entries: checkpoint.size, ...(old === undefined ? {} : { from: old.size }) };
}

function checkText(text: string, key: NoteKey): CheckedFile | undefined {
  const ports = { hash: nodeHash, verifier: nodeVerifier };
  const included = parseInclusion(text);
  if (included !== undefined) {
    const result = checkInclusion(included, key, ports);
    return { kind: "inclusion", what: result.ok ? entryWords(included.index, included.header) : "", result };
  }
  const grown = parseConsistency(text);
  if (grown !== undefined) {
    const result = checkConsistency(grown, key, ports);
    const what = result.ok
      ? `the log of ${result.checkpoint.size} entries begins with the one of ${result.old?.size}`
      : "";
    return { kind: "consistency", what, result };
  }
  const [note] = splitNotes(text) ?? [];
  if (note === undefined) return undefined;
  const checkpoint = signedCheckpoint(note, key, nodeVerifier);
  const reason = `the checkpoint is not signed by \`${key.name}\` with the key given`;
  return {
    kind: "checkpoint",
    what: `a checkpoint over ${checkpoint?.size ?? 0} entries`,
    result: checkpoint === undefined ? { ok: false, reason } : { ok: true, checkpoint },
  };
}

/** Signed, so that it can be read out. */
function entryWords(index: number, header: Uint8Array): string {
  const { type, time, call } = parseHeader(header);
  return `entry ${index} is in the log: ${type} at ${iso(time)}${call === undefined ? "" : ` of ${printable(call)}`}`;
}
