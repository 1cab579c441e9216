/** The policy files of a draft: those of this place, changed, left out, or others in their stead. Pure. */
export interface Draft {
  readonly text: string;
  /** Not among what is judged by. */
  readonly out: boolean;
}

/** By the name of the file. */
export type DraftSet = ReadonlyMap<string, Draft>;

interface Text {
  readonly file: string;
  readonly text: string;
}

export function draftsOf(files: readonly Text[]): DraftSet {
  return new Map(files.map(({ file, text }) => [file, { text, out: false }]));
}

export function changed(set: DraftSet, file: string, change: Partial<Draft>): DraftSet {
  return new Map(set).set(file, { text: "", out: false, ...set.get(file), ...change });
}

/** A file takes the place of the one that has its name, wherever that one lies; one that is like none stands beside them. */
export function withFiles(set: DraftSet, files: readonly Text[]): DraftSet {
  return files.reduce((now, { file, text }) => {
    const like = [...set.keys()].filter((known) => known === file || baseOf(known) === baseOf(file));
    return changed(now, like.length === 1 ? (like[0] ?? file) : file, { text, out: false });
  }, set);
}

/** As a gate reads a directory: its own files, none from below it, and no test beside them. */
export function inDirectory<File extends { readonly name: string; readonly path: string }>(files: readonly File[]) {
  const own = files
    .filter(({ path }) => path.split("/").length <= 2)
    .sort((one, other) => (one.path < other.path ? -1 : 1));
  return {
    yaml: own.filter(({ name }) => /\.ya?ml$/.test(name)),
    /** Only the file itself can be run, never a text that was sent. */
    modules: own.filter(({ name }) => /(?<!\.(?:d|test|spec))\.m?ts$/.test(name)),
  };
}

/** What is judged by. */
export function judgedBy(set: DraftSet): readonly Text[] {
  return [...set].flatMap(([file, { text, out }]) => (out ? [] : [{ file, text }]));
}

function baseOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
