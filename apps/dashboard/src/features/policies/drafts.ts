/**
 * Texts that somebody changed and did not put in force. They lie in this browser, apart for each store, and survive a
 * reload; `base` is the revision that they were begun on, which activating names.
 */
import { useState } from "react";
import type { Policies, PolicyText } from "./read.ts";

interface Kept {
  readonly base: string | null;
  readonly files: Readonly<Record<string, string>>;
}

export interface Drafts {
  /** Files that say something else than on disk, or are not there. */
  readonly changed: readonly string[];
  /** All files, with the drafts in the places of what they change. */
  readonly texts: readonly PolicyText[];
  readonly base: string | null;
  /** The files on disk moved on since the first change. */
  readonly stale: boolean;
  edit(file: string, text: string): void;
  /** Undefined: all. */
  discard(file?: string): void;
  /** What is drafted is meant as a change of what stands there now. */
  rebase(): void;
}

export function useDrafts(log: string, { files, revision }: Policies): Drafts {
  const key = `drafts ${log}`;
  const [kept, setKept] = useState(() => readKept(key));
  const onDisk = new Map(files.map(({ file, text }) => [file, text]));
  const drafted = Object.entries(kept?.files ?? {}).filter(([file, text]) => onDisk.get(file) !== text);
  const drafts = new Map(drafted);

  function keep(next: Readonly<Record<string, string>>, base: string | null): void {
    const value = Object.keys(next).length === 0 ? null : { base, files: next };
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    setKept(value);
  }

  const base = drafted.length === 0 || kept === null ? revision : kept.base;
  return {
    changed: [...drafts.keys()],
    texts: [
      ...files.map(({ file, text }) => ({ file, text: drafts.get(file) ?? text })),
      ...drafted.filter(([file]) => !onDisk.has(file)).map(([file, text]) => ({ file, text })),
    ],
    base,
    stale: base !== revision,
    edit: (file, text) => {
      const others = drafted.filter(([name]) => name !== file);
      keep(Object.fromEntries(onDisk.get(file) === text ? others : [...others, [file, text]]), base);
    },
    discard: (file) => keep(Object.fromEntries(drafted.filter(([name]) => file !== undefined && name !== file)), base),
    rebase: () => keep(Object.fromEntries(drafted), revision),
  };
}

function readKept(key: string): Kept | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    if (typeof value !== "object" || value === null || !("files" in value) || !("base" in value)) return null;
    const { base, files } = value;
    if (typeof files !== "object" || files === null || (typeof base !== "string" && base !== null)) return null;
    const texts = Object.entries(files).filter((entry): entry is [string, string] => typeof entry[1] === "string");
    return { base, files: Object.fromEntries(texts) };
  } catch {
    // What another version kept is no draft of this one.
    return null;
  }
}
