/** Policy files from disk to a policy set: all of them whole and true to their own tests, or an error that names everything that is wrong. */
import { globSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve, sep } from "node:path";
import {
  type Hash,
  type JsonSchema,
  nearest,
  type PolicyIssue,
  type PolicySet,
  type PolicyTestOutcome,
  runPolicyTests,
  SafeRunError,
} from "@saferun/core";
import { formatIssue, loadPolicies, type Policy, type PolicyText } from "@saferun/document";

const GLOB = /[*?[\]{}]/;
const MODULE = /\.[cm]?[jt]s$/;

export interface PolicySource {
  /** Paths and globs, relative to `directory`. */
  readonly paths: readonly string[];
  readonly directory: string;
  /** Written in TypeScript: part of the set beside the files, and the same until the process ends. */
  readonly built?: readonly Policy[];
  /** `enforce`: rules and environments bind even where their files say `observe`. */
  readonly mode: "enforce" | "observe";
  readonly hash: Hash;
  /** Tools that rules may name without declaring them, because the agent has them. */
  readonly knownTools?: readonly string[];
  /** The framework's own definitions of them, used where the policies give no schema. */
  readonly toolSchemas?: Readonly<Record<string, JsonSchema>>;
  /** Told of what is doubtful and stops nothing. */
  readonly warn: (message: string) => void;
}

/** @throws SafeRunError `policy.missing` for a file that is not there or cannot be read: half a set is no set. */
export function readPolicyFiles({ paths, directory }: PolicySource): readonly PolicyText[] {
  const missing: string[] = [];
  const texts = new Map<string, PolicyText>();
  for (const path of paths) {
    const found = expand(path, directory);
    if (found.length === 0) missing.push(`${path}:1:1: no file matches this in \`${directory}\``);
    for (const file of found) {
      if (MODULE.test(file)) {
        missing.push(`${file}:1:1: a module is not read; import it and hand over what \`policy(…)\` gave it`);
        continue;
      }
      try {
        texts.set(resolve(directory, file), { file, text: readText(resolve(directory, file)) });
      } catch (error) {
        const code = codeOf(error);
        const why =
          code === "ENOENT"
            ? `there is no such file in \`${directory}\`${instead(resolve(directory, file))}`
            : `cannot be read (${code})`;
        missing.push(`${file}:1:1: ${why}`);
      }
    }
  }
  if (missing.length === 0) return [...texts.values()];
  throw new SafeRunError("policy.missing", missing.join("\n"), { details: { files: missing.length } });
}

/** What to do about a file that is not there. */
function instead(path: string): string {
  const beside = globSync("*.{yaml,yml}", { cwd: dirname(path) });
  const meant = nearest(basename(path), beside);
  return meant === undefined ? "; `npx saferun init` writes a first one" : `; did you mean \`${meant}\`?`;
}

/** Absolute path of a file that a policy file names, a schema for one → its text, or why there is none. */
export type NamedFiles = Map<string, { readonly text: string } | { readonly unreadable: string }>;

/** @throws Error in words when it cannot be read. */
function readNamed(path: string, named: NamedFiles): string {
  const read = readFresh(path);
  named.set(path, read);
  if ("text" in read) return read.text;
  throw new Error(`\`${path}\` cannot be read (${read.unreadable})`);
}

/** The same files as they are now. */
export function readAgain(named: NamedFiles): NamedFiles {
  return new Map([...named.keys()].map((path) => [path, readFresh(path)]));
}

function readFresh(path: string): { readonly text: string } | { readonly unreadable: string } {
  try {
    return { text: readText(path) };
  } catch (error) {
    return { unreadable: codeOf(error) };
  }
}

/**
 * The policy set of these texts, and of what was written in TypeScript. `named` is filled with the files that they name.
 * @throws SafeRunError `policy.invalid` with every issue, or every test of theirs that fails, as file:line:column.
 */
export function policySetOf(
  files: readonly PolicyText[],
  source: Omit<PolicySource, "paths">,
  named: NamedFiles = new Map(),
): PolicySet {
  const { hash, mode, knownTools = [], toolSchemas = {}, built = [], directory } = source;
  const readFile = (path: string, from: string) => readNamed(resolve(directory, dirname(from), path), named);
  const load = (enforce: boolean) => {
    const loaded = loadPolicies([...files, ...built], { hash, knownTools, toolSchemas, readFile, enforce });
    if (!loaded.ok) throw invalid(loaded.issues, files);
    return loaded;
  };
  const loaded = load(false);
  const failed = runPolicyTests(loaded.policies, loaded.documents, hash).flatMap(failures);
  if (failed.length > 0) throw invalid(failed, files);
  for (const issue of loaded.warnings) source.warn(formatIssue(issue));
  return mode === "enforce" ? load(true).policies : loaded.policies;
}

function failures({ name, span, failures: told }: PolicyTestOutcome): readonly PolicyIssue[] {
  return told.map((failure) => ({
    code: "test-failed",
    severity: "error",
    ...span,
    message: `the test \`${name}\` fails: ${failure}`,
  }));
}

/** Absolute directories in which a change may be one of these files: theirs, and those that a glob looks into. */
export function policyDirectories({ paths, directory }: PolicySource): readonly string[] {
  return [
    ...new Set(paths.flatMap((path) => (isGlob(path, directory) ? globbed(path, directory) : [dirname(path)]))),
  ].map((path) => resolve(directory, path));
}

// `a/b*/c/*.yaml` looks into `a`, every `a/b*`, and every `a/b*/c`.
function globbed(path: string, directory: string): readonly string[] {
  const parts = path.split(sep === "\\" ? /[\\/]/ : "/");
  const first = parts.findIndex((part) => GLOB.test(part));
  const base = parts.slice(0, first).join("/") || (path.startsWith("/") ? "/" : ".");
  const deeper = parts.slice(first, -1).flatMap((_, index) =>
    globSync(parts.slice(0, first + index + 1).join("/"), { cwd: directory, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => resolve(entry.parentPath, entry.name)),
  );
  return [base, ...deeper];
}

/** A file whose name looks like a glob is still that file. */
function isGlob(path: string, directory: string): boolean {
  return GLOB.test(path) && statSync(resolve(directory, path), { throwIfNoEntry: false }) === undefined;
}

function expand(path: string, directory: string): readonly string[] {
  return isGlob(path, directory) ? globSync(path, { cwd: directory }).sort() : [path];
}

function readText(path: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
}

function invalid(issues: readonly PolicyIssue[], files: readonly PolicyText[]): SafeRunError {
  const lines = issues.map((issue) => formatIssue(issue, files.find(({ file }) => file === issue.file)?.text));
  return new SafeRunError("policy.invalid", lines.join("\n"), { details: { issues } });
}

function codeOf(error: unknown): string {
  return error instanceof TypeError
    ? "no UTF-8 text"
    : error instanceof Error && "code" in error
      ? String(error.code)
      : "unreadable";
}
