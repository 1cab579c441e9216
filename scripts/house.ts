/** The rules of the house that no other tool checks. Each takes text and gives what is wrong with it, one line each. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

export const MOST_LINES = 500;
export const MOST_LINES_OF_AGENTS = 120;

/** A file of the repository: its path from the root, with `/`. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

const SKIPPED = new Set(["node_modules", "dist", ".git", ".saferun", ".test-results", "coverage"]);

export function readFiles(root: string, patterns: readonly string[]): readonly SourceFile[] {
  return globSync(patterns, { cwd: root, exclude: (name) => SKIPPED.has(path.basename(name)) })
    .map((file) => ({ file: file.replaceAll(path.sep, "/"), text: readFileSync(path.join(root, file), "utf8") }))
    .sort((one, other) => (one.file < other.file ? -1 : 1));
}

export function tooLong({ file, text }: SourceFile, most = MOST_LINES): readonly string[] {
  const lines = text.trimEnd().split("\n").length;
  return lines > most ? [`${file}: ${lines} lines, ${most} at most`] : [];
}

/** What belongs to the machine or the tools of whoever wrote a file, and says nothing to its readers. */
const FOREIGN: readonly RegExp[] = [
  /\/Users\/\w+/,
  /\bC:\\Users\b/,
  /\b(?:coding|AI) assistants?\b/i,
  /\b(?:this|previous|next|another) (?:chat|coding session|assistant)\b/i,
  /\b(?:generated|written|made) (?:by|with) (?:an? )?(?:AI\b|LLM|claude|copilot|chatgpt|codex)/i,
  /^co-authored-by:/im,
];

export function foreignWords({ file, text }: SourceFile): readonly string[] {
  return FOREIGN.flatMap((word) => {
    const found = word.exec(text);
    return found === null ? [] : [`${file}:${lineOf(text, found.index)}: \`${found[0]}\` does not belong here`];
  });
}

const UNFINISHED = /\b(?:it|test|describe)\.(?:skip|only|todo)\b|\b(?:TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/;

/** Tests that do not run, and notes about work that somebody meant to do. */
export function unfinished({ file, text }: SourceFile): readonly string[] {
  const found = UNFINISHED.exec(text);
  return found === null ? [] : [`${file}:${lineOf(text, found.index)}: \`${found[0]}\``];
}

/** A folder or file that is named after nothing: whatever it holds is about something, and stands there. */
export function namelessFile({ file }: SourceFile): readonly string[] {
  return /(?:^|\/)(?:utils?|helpers?|common|misc|shared)(?:\/|\.[cm]?[jt]sx?$|\.test\.)/.test(file)
    ? [`${file}: name it after what it holds`]
    : [];
}

export interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Everything that `manifest` has installed; peers are their user's to install. */
export function installs(manifest: Manifest): readonly (readonly [name: string, version: string])[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
}

/** One version, of the package itself or of the one that another name stands for. */
const PINNED = /^(?:npm:[\w@./-]+@)?\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

export function loosePins(file: string, manifest: Manifest): readonly string[] {
  return installs(manifest)
    .filter(([, version]) => !PINNED.test(version) && !/^file:\.\.?\//.test(version))
    .map(([name, version]) => `${file}: \`${name}\` is \`${version}\`; pin one version`);
}

/** Names in the first column of the tables of docs/dependencies.md. */
export function documentedDependencies(text: string): readonly string[] {
  return [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );
}

/** Error codes that have a section: `## code` with the code in backticks. */
export function documentedCodes(text: string): readonly string[] {
  return [...text.matchAll(/^#+ `([a-z]+\.[a-z]+)`$/gm)].map(([, code = ""]) => code);
}

/** `[text](target)`, and `[text]: target` on a line of its own. */
const LINK = /\[[^\]\n]*\](?:\(([^)\s]+)\)|: (\S+)$)/gm;

/** Links of a Markdown file to files or headings that do not exist. Links to the web are not followed. */
export function brokenLinks(root: string, { file, text }: SourceFile): readonly string[] {
  return [...withoutCode(text).matchAll(LINK)].flatMap(([, inline, below]) => {
    const target = inline ?? below ?? "";
    if (/^[a-z]+:/i.test(target)) return [];
    const [name = "", heading] = target.split("#");
    const absolute = name === "" ? path.join(root, file) : path.resolve(root, path.dirname(file), name);
    if (!existsSync(absolute)) return [`${file}: \`${target}\` does not exist`];
    if (heading === undefined) return [];
    const known = headings(readFileSync(absolute, "utf8"));
    return known.includes(heading) ? [] : [`${file}: \`${target}\` names a heading that does not exist`];
  });
}

/** Decisions that share a number, or do not say the one in their name. */
export function misnumbered(decisions: readonly SourceFile[]): readonly string[] {
  const seen = new Set<string>();
  return decisions.flatMap(({ file, text }) => {
    const [, number = ""] = /(\d{4})-[^/]+\.md$/.exec(file) ?? [];
    const isFine = number !== "" && !seen.has(number) && text.startsWith(`# ${number}: `);
    seen.add(number);
    return isFine ? [] : [file];
  });
}

/** The anchors of a Markdown file's headings, as the forges make them. */
export function headings(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** `npm run …` in a text that package.json has no script for. */
export function unknownScripts({ file, text }: SourceFile, manifest: Manifest): readonly string[] {
  const known = new Set(Object.keys(manifest.scripts ?? {}));
  return [...text.matchAll(/\bnpm (?:run (?:--?\w+ )*([\w:.-]*\w)|(start|test)\b)/g)]
    .map(([, run, short]) => run ?? short ?? "")
    .filter((script) => !known.has(script))
    .map((script) => `${file}: there is no script \`${script}\``);
}

/** Commands that the sources of the CLI register. */
export function registeredCommands(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => [...text.matchAll(/\.command\("([a-z-]+)/g)].map(([, name = ""]) => name));
}

/** `saferun …` in code of a page that is no command. */
export function unknownCommands({ file, text }: SourceFile, commands: readonly string[]): readonly string[] {
  return [...text.matchAll(/(?:`|^|npx |npm run )saferun (?:-- )?([a-z][a-z-]*)/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => !commands.includes(name))
    .map((name) => `${file}: there is no command \`saferun ${name}\``);
}

/** Long options that the commands take. */
export function registeredOptions(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) =>
    [...text.matchAll(/ption\(\s*"(?:-\w, )?(--[a-z-]+)/g)].map(([, name = ""]) => name.replace(/^--no-/, "--")),
  );
}

/** Options beside `saferun …` in code of a page that no command takes. */
export function unknownOptions({ file, text }: SourceFile, options: readonly string[]): readonly string[] {
  const lines = [...text.matchAll(/(?:`|^\$ |^|npx |npm run )saferun (?:-- )?([a-z][^`\n]*)/gm)];
  return lines
    .flatMap(([, line = ""]) => (line.split(" -- ")[0] ?? "").match(/(?<=\s)--[a-z-]+/g) ?? [])
    .map((name) => name.replace(/^--no-/, "--"))
    .filter((name) => !options.includes(name))
    .map((name) => `${file}: no command of saferun takes \`${name}\``);
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "");
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
