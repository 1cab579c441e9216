/** Log entries and the result of a verification, as text and as JSON. */

import {
  type EntryHeader,
  type Json,
  type JsonObject,
  parseHeader,
  type StoredEntry,
  toHex,
  type Verification,
  VIEW_PART,
} from "@saferun/core";
import { iso, partJson } from "@saferun/server/wire";
import { counted } from "../output/counted.ts";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import { moment } from "../output/time.ts";

export function entryLines(entries: readonly StoredEntry[], style: Style): string[] {
  const rows = entries.map((entry) => {
    const header = parseHeader(entry.header);
    const said = header.verdict ?? header.outcome;
    return [
      style.dim(String(entry.seq)),
      moment(header.time),
      header.type,
      said === undefined ? "" : tone(style, said),
      short(header.tool ?? "", 32),
      style.dim(short(looker(entry) ?? subject(header), 60)),
    ];
  });
  return table([["ENTRY", "TIME", "TYPE", "", "TOOL", "ABOUT"].map(style.dim), ...rows]);
}

/** Of an entry that says who looked at what: that. Undefined for all others. */
export function looker({ parts }: StoredEntry): string | undefined {
  const part = parts.find(({ name }) => name === VIEW_PART);
  const view = part === undefined || part.bytes === null ? undefined : partJson(part);
  if (!isObject(view) || !isObject(view.by)) return undefined;
  const targets = ["runs", "calls", "approvals"].flatMap((key) => view[key] ?? []);
  return [view.by.id, view.what, ...targets].filter((one) => typeof one === "string").join("  ");
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function subject(header: EntryHeader): string {
  const rules = header.rules === undefined || header.rules.length === 0 ? "" : header.rules.join(", ");
  return [rules, header.approval ?? header.call ?? header.run?.id ?? header.revision ?? ""].filter(Boolean).join("  ");
}

export function entryJson(entry: StoredEntry): JsonObject {
  const { run, writer, log, v, time, parts: _commitments, ...rest } = parseHeader(entry.header);
  return {
    seq: entry.seq,
    at: iso(time),
    ...rest,
    run: run?.id ?? null,
    writer: writer.id,
    leaf: toHex(entry.leaf),
    parts: Object.fromEntries(entry.parts.map((part) => [part.name, partJson(part)])),
  };
}

export interface ShownVerification {
  readonly verification: Verification;
  /** The key that the asker gave. */
  readonly key: string | undefined;
  /** The key that the log itself names. */
  readonly claimed: string | undefined;
  /** How many checkpoints kept elsewhere took part. */
  readonly anchors?: number;
}

export function verificationJson({ verification, key, claimed, anchors = 0 }: ShownVerification): JsonObject {
  const { status, size, root, signedUpTo, signedAt, unsigned, anchoredUpTo, keys, faults } = verification;
  return {
    status,
    entries: size,
    root: toHex(root),
    /** The number of the last signed entry; null when none is. */
    signed_up_to: signedUpTo === 0 ? null : signedUpTo - 1,
    signed_at: signedAt === undefined ? null : iso(signedAt),
    unsigned,
    /** The number of the last entry that a checkpoint kept outside covers; null when none does. */
    anchored_up_to: anchoredUpTo === 0 ? null : anchoredUpTo - 1,
    key: key ?? null,
    claimed_key: claimed ?? null,
    keys: keys.map(({ key: signer, from, upTo }) => ({ key: signer, from, up_to: upTo })),
    anchors,
    /** Entries before it are archived and were not looked at; 0 when none is. */
    archived_to: verification.archivedTo,
    archived: verification.archived.map((segment) => ({ ...segment })),
    faults: faults.map((fault) => ({ ...fault })),
  };
}

/** `store`: what the printed command says of its store. */
export function verificationLines(
  { verification, key, claimed }: ShownVerification,
  store: string,
  style: Style,
): string[] {
  const { status, size, signedUpTo, unsigned, keys, faults } = verification;
  const changed = keys.length < 2 ? [] : keys.map(periodLine);
  const rest =
    unsigned === 0 ? [] : [`${counted(unsigned, "entry", "entries")} after the last signature, not signed yet`];
  switch (status) {
    case "faulty":
      return [
        `${style.bad("faulty")}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"} in ${counted(size, "entry", "entries")}`,
        ...faults.map(
          ({ seq, fault, where, message }) =>
            `  entry ${seq}: ${style.bad(fault)} (${printable(where)}): ${printable(message)}`,
        ),
      ];
    case "verified":
      return [
        `${style.good("verified")} up to entry ${signedUpTo - 1}${signedTime(verification)} by key ${printable(key ?? "")}`,
        ...changed,
        ...rest,
        ...archivedLines(verification),
        ...anchorLines(verification),
      ];
    case "self-consistent":
      if (key !== undefined) {
        return [
          `${style.bad("not verified")}: nothing in this log is signed by key ${printable(key)}`,
          `no other fault in ${counted(size, "entry", "entries")}: it is not signed yet, or its signatures were removed`,
        ];
      }
      return [
        `${style.wait("self-consistent, signer not proven")}: no fault in ${counted(size, "entry", "entries")}`,
        ...(signedUpTo === 0 ? [] : [`signed up to entry ${signedUpTo - 1}${signedTime(verification)}`]),
        ...rest,
        ...archivedLines(verification),
        ...pinLines(claimed, store, style),
      ];
  }
}

function periodLine({ key, from, upTo }: Verification["keys"][number]): string {
  const until = upTo === null ? "on" : `to ${upTo - 1}`;
  return `  from entry ${from} ${until} signed by ${printable(key)}`;
}

/** What somebody with the store could have cut off unseen, and somebody with the key as well could have changed. */
function anchorLines({ signedUpTo, anchoredUpTo }: Verification): string[] {
  if (anchoredUpTo >= signedUpTo) return [];
  const from = anchoredUpTo === 0 ? "" : ` behind entry ${anchoredUpTo - 1}`;
  return [
    `not provable without an anchor: that nothing was cut off${from}, or changed by the holder of the key (--anchor)`,
  ];
}

/** What is proven by its files only. */
function archivedLines({ archivedTo, archived }: Verification): string[] {
  if (archivedTo === 0) return [];
  const files = archived.map(
    ({ from, to, file, by }) => `  entries ${from} to ${to - 1} by ${printable(by)}: ${printable(file)}`,
  );
  const [first] = archived;
  const rest = first === undefined || first.from === 0 ? [] : [`  before ${first.from}: named in these files`];
  return [`archived: entries 0 to ${archivedTo - 1} (--archive checks the files)`, ...rest, ...files];
}

function pinLines(claimed: string | undefined, store: string, style: Style): string[] {
  if (claimed === undefined) return ["the log names no key, so nobody can prove who wrote it"];
  return [
    "whoever can write the store could have written all of it. To prove the signer, keep this key elsewhere and give it:",
    style.bold(`  saferun log verify --pin '${printable(claimed)}'${store}`),
  ];
}

function signedTime({ signedAt }: Verification): string {
  return signedAt === undefined ? "" : ` at ${moment(signedAt)}`;
}
