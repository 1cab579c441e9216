/** Which policy files a command means, and their texts. */
import { globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LIMITS } from "@saferun/core";
import { formatIssue, type LoadResult, loadPolicies, type PolicyText } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { failed, usage } from "./exit.ts";
import type { Io } from "./io.ts";
import { printable, printableLines } from "./output/printable.ts";

const IN_DIRECTORY = "*.{yaml,yml}";
/** Where policies lie when a command names none. */
const DEFAULTS = ["policies.yaml", "policies.yml", `policies/${IN_DIRECTORY}`];

/** The files of these patterns: files, directories or globs, each file once, in the order given. */
export function findPolicyFiles(patterns: readonly string[], cwd: string): string[] {
  const found = patterns.flatMap((pattern) => {
    const files = expand(pattern, cwd);
    if (files.length === 0) throw usage(`no policy file matches \`${printable(pattern)}\``);
    return files;
  });
  return unique(found, cwd);
}

export function findDefaultPolicyFiles(cwd: string): string[] {
  const found = DEFAULTS.flatMap((pattern) => globSync(pattern, { cwd }).sort());
  if (found.length === 0) {
    throw usage("no policy file here: name one, or write `policies.yaml` or `policies/*.yaml` in this directory");
  }
  return unique(found, cwd);
}

/**
 * The policies of these patterns, or of this directory where there is none.
 * @throws CommandError after every issue was written to standard error: nothing is judged by half a set.
 */
export function loadUsablePolicies(io: Io, patterns: readonly string[]): Extract<LoadResult, { ok: true }> {
  const names = patterns.length === 0 ? findDefaultPolicyFiles(io.cwd) : findPolicyFiles(patterns, io.cwd);
  const files = readPolicyFiles(names, io.cwd);
  const loaded = loadPolicies(files, { hash: nodeHash, readFile: readNamedFile(io.cwd) });
  if (loaded.ok) return loaded;
  const texts = new Map(files.map(({ file, text }) => [file, text]));
  for (const issue of loaded.issues) io.warn(printableLines(formatIssue(issue, texts.get(issue.file))));
  throw failed("policy.invalid", "the policies are not usable, so nothing was judged");
}

/** @throws CommandError when a file cannot be read; half a set is no set. */
export function readPolicyFiles(files: readonly string[], cwd: string): PolicyText[] {
  return files.map((file) => ({ file, text: readPolicy(file, resolve(cwd, file)) }));
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
  if (kind?.isDirectory()) return globSync(join(pattern, IN_DIRECTORY), { cwd }).sort();
  // A file whose name looks like a glob is still that file.
  return kind === undefined ? globSync(pattern, { cwd }).sort() : [pattern];
}

function unique(files: readonly string[], cwd: string): string[] {
  const seen = new Set<string>();
  return files.filter((file) => !seen.has(resolve(cwd, file)) && seen.add(resolve(cwd, file)));
}
