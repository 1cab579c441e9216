/** Searches that were given a name: one file beside the log that they ask, for everybody who works on the store. */
import { join } from "node:path";
import { SafeRunError } from "@saferun/core";
import { readPrivateFile, replacePrivateFile } from "../node/private-files.ts";

/** Name → query. */
export type SearchViews = ReadonlyMap<string, string>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws SafeRunError `record.untrusted`, `record.corrupt` for a file that holds no views. */
export function readViews(directory: string): SearchViews {
  const path = viewsPath(directory);
  const text = readPrivateFile(path);
  if (text === undefined) return new Map();
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === "object" && found !== null && !Array.isArray(found)) {
      const views = Object.entries(found);
      if (views.every((view): view is [string, string] => typeof view[1] === "string")) return new Map(views);
    }
  } catch {
    // Said below.
  }
  throw new SafeRunError("record.corrupt", `\`${path}\` holds no saved searches: move it away`);
}

/**
 * Saves a query under a name, or forgets the name where the query is null.
 * @throws SafeRunError `option.invalid` for a name that is none, or that nobody saved.
 */
export function saveView(directory: string, name: string, query: string | null): void {
  if (!NAME.test(name)) {
    throw new SafeRunError(
      "option.invalid",
      `\`${name}\` cannot name a search: use letters, digits, \`.\`, \`_\`, \`-\``,
    );
  }
  const views = new Map(readViews(directory));
  if (query !== null) views.set(name, query);
  else if (!views.delete(name)) throw new SafeRunError("option.invalid", `no search is saved as \`${name}\``);
  replacePrivateFile(viewsPath(directory), `${JSON.stringify(Object.fromEntries([...views].sort()), null, 2)}\n`);
}

function viewsPath(directory: string): string {
  return join(directory, "views.json");
}
