/** Policy files from disk to a policy set: all of them whole and true to their own tests, or an error that names everything that is wrong. */
import { globSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import {
  checkPolicies,
  compilePolicies,
  type Hash,
  type PolicyIssue,
  type PolicySet,
  runPolicyTests,
  SafeRunError,
} from "@saferun/core";
import {
  formatIssue,
  intlZones,
  loadPolicies,
  type Policy,
  type PolicyInput,
  type PolicyText,
  parsePolicy,
} from "@saferun/document";

const GLOB = /[*?[\]{}]/;

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
  /** Told of what is doubtful and stops nothing. */
  readonly warn: (message: string) => void;
}

/** @throws SafeRunError `policy.missing` for a file that is not there or cannot be read: half a set is no set. */
export function readPolicyFiles({ paths, directory }: PolicySource): readonly PolicyText[] {
  const missing: string[] = [];
  const texts = new Map<string, PolicyText>();
  for (const path of paths) {
    const found = expand(path, directory);
    if (found.length === 0) missing.push(`${path}:1:1: no file matches \`${path}\``);
    for (const file of found) {
      try {
        texts.set(resolve(directory, file), { file, text: readText(resolve(directory, file)) });
      } catch (error) {
        missing.push(`${file}:1:1: \`${file}\` cannot be read (${codeOf(error)})`);
      }
    }
  }
  if (missing.length === 0) return [...texts.values()];
  throw new SafeRunError("policy.missing", missing.join("\n"), { details: { files: missing.length } });
}

/**
 * The policy set of these texts, and of what was written in TypeScript.
 * @throws SafeRunError `policy.invalid` with every issue, or every test of theirs that fails, as file:line:column.
 */
export function policySetOf(
  files: readonly PolicyText[],
  source: Omit<PolicySource, "paths" | "directory">,
): PolicySet {
  const { hash, mode, knownTools = [], built = [] } = source;
  const inputs = [...files, ...built];
  const loaded = loadPolicies(inputs, { hash, knownTools });
  if (!loaded.ok) throw invalid(loaded.issues, files);
  const failed = runPolicyTests(loaded.policies, loaded.documents, hash).filter(({ ok }) => !ok);
  if (failed.length > 0) {
    const issues = failed.flatMap(({ name, span, failures }) =>
      failures.map(
        (failure): PolicyIssue => ({
          code: "test-failed",
          severity: "error",
          ...span,
          message: `the test \`${name}\` fails: ${failure}`,
        }),
      ),
    );
    throw invalid(issues, files);
  }
  for (const issue of loaded.warnings) source.warn(formatIssue(issue));
  return mode === "enforce" ? enforced(inputs, files, hash, knownTools) : loaded.policies;
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

/** The same policies with everything observed made binding: another set, hence another revision. */
function enforced(
  inputs: readonly PolicyInput[],
  files: readonly PolicyText[],
  hash: Hash,
  knownTools: readonly string[],
): PolicySet {
  const trees = inputs.flatMap((input) => parsePolicy(input).tree ?? []);
  const checked = checkPolicies(trees, { knownTools, zones: intlZones });
  if (!checked.ok) throw invalid(checked.issues, files);
  const { model } = checked;
  const binding = [...model.environments].map(([name, one]) => [name, { ...one, observe: false }] as const);
  const rules = model.rules.map((rule) => ({ ...rule, observe: false }));
  return compilePolicies({ ...model, environments: new Map(binding), rules }, hash);
}

function codeOf(error: unknown): string {
  return error instanceof TypeError
    ? "no UTF-8 text"
    : error instanceof Error && "code" in error
      ? String(error.code)
      : "unreadable";
}
