/** Which policy files a command means, and their texts. */
import { globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LIMITS, type PolicyIssue, type PolicySet } from "@saferun/core";
import { formatIssue, type LoadOptions, type LoadResult, loadPolicies, type PolicyInput } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { CommandError, failed, usage } from "./exit.ts";
import type { Io } from "./io.ts";
import { printable, printableLines } from "./output/printable.ts";
import { importPolicies, isPolicyModule, sourceText } from "./policy-module.ts";

const IN_DIRECTORY = "*.{yaml,yml,ts,mts}";
/** Those of a directory that are none, though their names end as a policy's do. */
const BESIDE = /\.(d|test|spec)\.m?ts$/;
/** Where policies lie when a command names none. */
const DEFAULTS = ["policies.{yaml,yml,ts,mts}", `policies/${IN_DIRECTORY}`];

/** The files of these patterns: files, directories or globs, each file once, in the order given. */
function findPolicyFiles(patterns: readonly string[], cwd: string): string[] {
  const found = patterns.flatMap((pattern) => {
    const files = expand(pattern, cwd);
    if (files.length === 0) throw usage(`no policy file matches \`${printable(pattern)}\``);
    return files;
  });
  return unique(found, cwd);
}

function findDefaultPolicyFiles(cwd: string): string[] {
  const found = DEFAULTS.flatMap((pattern) => inDirectory(pattern, cwd));
  if (found.length === 0) {
    throw usage("no policy file here: name one, or write `policies.yaml` or `policies/*.yaml` in this directory");
  }
  return unique(found, cwd);
}

/** @throws CommandError when a pattern matches nothing, or there is no policy file here. */
export function policyFileNames(io: Io, patterns: readonly string[]): readonly string[] {
  return patterns.length === 0 ? findDefaultPolicyFiles(io.cwd) : findPolicyFiles(patterns, io.cwd);
}

/** The same where having none is no mistake. */
export function foundPolicyFiles(io: Io, patterns: readonly string[]): readonly string[] {
  try {
    return policyFileNames(io, patterns);
  } catch (error) {
    if (error instanceof CommandError) return [];
    throw error;
  }
}

export interface LoadedFiles {
  readonly loaded: LoadResult;
  readonly names: readonly string[];
  /** An issue for people, with the line that it is about. */
  format(issue: PolicyIssue): string;
}

/**
 * The policies of these patterns, or of this directory where there is none: YAML is read, modules are imported. Modules
 * that fail are reported alone, since the other files may speak of what they define.
 * @throws CommandError when a pattern matches nothing or a file cannot be read; half a set is no set.
 */
export async function loadPolicyFiles(
  io: Io,
  patterns: readonly string[],
  options: Pick<LoadOptions, "analyse" | "knownTools"> = {},
): Promise<LoadedFiles> {
  const names = policyFileNames(io, patterns);
  const inputs: PolicyInput[] = [];
  const broken: PolicyIssue[] = [];
  const texts = new Map<string, string>();
  for (const file of names) {
    if (isPolicyModule(file)) {
      const built = await importPolicies(file, io.cwd);
      if ("issue" in built) broken.push(built.issue);
      else inputs.push(...built.policies);
    } else {
      const text = readPolicy(file, resolve(io.cwd, file));
      texts.set(file, text);
      inputs.push({ file, text });
    }
  }
  const loaded: LoadResult =
    broken.length > 0
      ? { ok: false, issues: broken }
      : loadPolicies(inputs, { hash: nodeHash, readFile: readNamedFile(io.cwd), ...options });
  const format = (issue: PolicyIssue) =>
    printableLines(formatIssue(issue, texts.get(issue.file) ?? sourceText(issue.file, io.cwd)));
  return { loaded, names, format };
}

/** The files of this directory where they load and none is a module: nothing is run that nobody named. */
export async function loadWrittenPolicies(io: Io): Promise<PolicySet | undefined> {
  if (findDefaultPolicyFiles(io.cwd).some(isPolicyModule)) return undefined;
  const { loaded } = await loadPolicyFiles(io, []);
  return loaded.ok ? loaded.policies : undefined;
}

/**
 * The same where nothing can be done without them.
 * @throws CommandError after every issue was written to standard error: nothing is judged by half a set.
 */
export async function loadUsablePolicies(
  io: Io,
  patterns: readonly string[],
): Promise<Extract<LoadResult, { ok: true }>> {
  const { loaded, format } = await loadPolicyFiles(io, patterns);
  if (loaded.ok) return loaded;
  for (const issue of loaded.issues) io.warn(format(issue));
  throw failed("policy.invalid", "the policies are not usable, so nothing was judged");
}

/** Reads what a policy file names, a schema for one: relative to that file. */
export function readNamedFile(cwd: string): (path: string, from: string) => string {
  return (path, from) => readPolicy(join(dirname(from), path), resolve(cwd, dirname(from), path));
}

function readPolicy(file: string, path: string): string {
  const shown = `\`${printable(file)}\``;
  try {
    const size = statSync(path).size;
    if (size > LIMITS.policyBytes) {
      throw failed("policy.missing", `${shown} has ${size} bytes; a policy file has at most ${LIMITS.policyBytes}`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof TypeError) throw failed("policy.syntax", `${shown} is not UTF-8 text`);
    if (error instanceof Error && "code" in error && typeof error.code === "string") {
      throw failed("policy.missing", `${shown} could not be read (${error.code})`);
    }
    throw error;
  }
}

function expand(pattern: string, cwd: string): string[] {
  const kind = statSync(resolve(cwd, pattern), { throwIfNoEntry: false });
  if (kind?.isDirectory()) return inDirectory(join(pattern, IN_DIRECTORY), cwd);
  // A file whose name looks like a glob is still that file.
  return kind === undefined ? globSync(pattern, { cwd }).sort() : [pattern];
}

function inDirectory(pattern: string, cwd: string): string[] {
  return globSync(pattern, { cwd })
    .filter((file) => !BESIDE.test(file))
    .sort();
}

function unique(files: readonly string[], cwd: string): string[] {
  const seen = new Set<string>();
  return files.filter((file) => !seen.has(resolve(cwd, file)) && seen.add(resolve(cwd, file)));
}
