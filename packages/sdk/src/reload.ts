/**
 * Policies that follow their files: read, checked, tested, then swapped in one step. Whatever fails, the last good set
 * stays in force, and people are told.
 */
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  activation,
  type EntryDraft,
  encodePart,
  type Policies,
  type PolicySet,
  type Random,
  SafeRunError,
} from "@saferun/core";
import type { PolicyText } from "@saferun/document";
import { nodeStamp } from "@saferun/store";
import {
  type NamedFiles,
  type PolicySource,
  policyDirectories,
  policySetOf,
  readAgain,
  readPolicyFiles,
} from "./policies.ts";
import { createWatch } from "./watch.ts";

export interface Reload extends Policies {
  readonly named: { revision: string };
  /** The set in force stays; no file is looked at any more. */
  close(): void;
}

export interface ReloadOptions {
  readonly source: PolicySource;
  /** Writes into the record what became of a change. */
  readonly record: (entry: EntryDraft) => Promise<unknown>;
  readonly random: Random;
  /** How long files must stay the same to be believed. Default 100 ms. */
  readonly quietMs?: number;
  /** How often dates and sizes are compared. Default 400 ms. */
  readonly everyMs?: number;
}

/** The files at one moment, or why they are no set. Two with equal keys are the same. */
type Snapshot =
  | { readonly key: string; readonly files: readonly PolicyText[] }
  | { readonly key: string; readonly error: unknown };

/** Reads in a row, all of them different, after which a change is given up. The next one is followed anew. */
const MOST_READS = 30;

/** @throws SafeRunError `policy.missing`, `policy.invalid` where the files are not usable at the start. */
export function reloadingPolicies(options: ReloadOptions): Reload {
  const { source, record, random, quietMs = 100, everyMs = 400 } = options;
  const named = { revision: "" };
  const quiet = () => sleep(quietMs, undefined, { ref: false });
  let files = readPolicyFiles(source);
  /** Files that the policy files name. */
  let beside: NamedFiles = new Map();
  let policies = policySetOf(files, source, beside);
  /** The last snapshot that was decided on, for good or ill. */
  let settled = keyOf(files, beside);
  let refused = false;
  let closed = false;
  let busy = false;
  let again = false;
  const watch = createWatch(() => void changed(), everyMs);
  look();
  // The files may have changed between their reading and the first look.
  void changed();

  return {
    named,
    stamp: nodeStamp,
    current: () => policies,
    close() {
      closed = true;
      watch.close();
    },
  };

  /** One change is followed at a time; what happens meanwhile is followed once more afterwards. */
  async function changed(): Promise<void> {
    again = true;
    if (busy) return;
    busy = true;
    while (again && !closed) {
      again = false;
      await quiet();
      if (!closed) await follow().catch(refuse);
    }
    busy = false;
  }

  /** Two reads in a row must agree: half of a file is not a policy, even where it can be read as one. */
  async function follow(): Promise<void> {
    look();
    let seen = snapshot(source, files, beside);
    for (let reads = 1; seen.key !== settled; reads++) {
      await quiet();
      if (closed) return;
      const next = snapshot(source, files, beside);
      if (next.key === seen.key) return settle(next);
      if (reads === MOST_READS) return settle(RESTLESS);
      seen = next;
    }
  }

  function look(): void {
    if (closed) return;
    const paths = [...files.map(({ file }) => resolve(source.directory, file)), ...beside.keys()];
    watch.look([...new Set([...policyDirectories(source), ...[...beside.keys()].map(dirname)])], paths);
  }

  function settle(next: Snapshot): void {
    settled = next.key;
    try {
      if ("error" in next) throw next.error;
      beside = new Map();
      try {
        policies = policySetOf(next.files, source, beside);
      } finally {
        settled = keyOf(next.files, beside);
      }
      files = next.files;
      if (refused || policies.revision !== named.revision) activate(policies);
      refused = false;
    } catch (error) {
      refuse(error);
    }
    // Other files may matter now: they are looked at, and then read once more.
    again = true;
  }

  function activate(set: PolicySet): void {
    named.revision = set.revision;
    write(activation({ stamp: nodeStamp }, set, random), () => {
      named.revision = "";
    });
  }

  function refuse(error: unknown): void {
    refused = true;
    const { revision } = policies;
    const code = error instanceof SafeRunError ? error.code : "internal.error";
    const message = error instanceof Error ? error.message : String(error);
    source.warn(`changed policies are refused, revision ${revision.slice(0, 12)} stays in force:\n${message}`);
    const issues = { name: "issues", salt: random.bytes(32), bytes: encodePart({ code, message }) };
    write({ type: "policy.rejected", revision, parts: [issues] }, () => undefined);
  }

  function write(entry: EntryDraft, failed: () => void): void {
    record(entry).catch((error: unknown) => {
      failed();
      const why = error instanceof Error ? error.message : String(error);
      if (!closed) source.warn(`\`${entry.type}\` could not be recorded: ${why}`);
    });
  }
}

function snapshot(source: PolicySource, inForce: readonly PolicyText[], beside: NamedFiles): Snapshot {
  try {
    const files = readPolicyFiles(source);
    const gone = inForce.filter(({ file }) => !files.some((found) => found.file === file));
    if (gone.length === 0) return { key: keyOf(files, readAgain(beside)), files };
    throw new SafeRunError("policy.missing", gone.map(goneText).join("\n"), { details: { files: gone.length } });
  } catch (error) {
    return { key: `error: ${error instanceof Error ? error.message : String(error)}`, error };
  }
}

/** Its denials would be gone with it: taking a file out of a set is said by a start without it. */
function goneText({ file }: PolicyText): string {
  return `${file}:1:1: \`${file}\` is in force and is gone; put it back, or start again without it`;
}

function keyOf(files: readonly PolicyText[], beside: NamedFiles): string {
  return JSON.stringify([files, [...beside]]);
}

const RESTLESS: Snapshot = {
  key: "restless",
  error: new SafeRunError("policy.invalid", "the policy files are different each time they are read"),
};
