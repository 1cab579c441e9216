/**
 * The policies for the page: the files of this place, drafts of them, and putting a draft in force by writing the files.
 * A watching gate takes what is written, as it takes an editor's save: checked, in one swap.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { accessOf, analyse, conditionWords, namedIn, type PolicyIssue } from "@saferun/core";
import { type LoadResult, loadPolicies, type PolicyInput, policySchema } from "@saferun/document";
import { type PolicyDesk, ProblemError } from "@saferun/server";
import { nodeClock, nodeHash, openReadOnlySqliteStore, openStoreKeys } from "@saferun/store";
import { accessJson } from "../../access.ts";
import { backtestStore } from "../../backtest/calls.ts";
import { createTally, resultJson } from "../../backtest/tally.ts";
import { lineContexts, lineProblemText, readCallLine } from "../../eval/call-line.ts";
import { explainedJson } from "../../explain/view.ts";
import type { Io } from "../../io.ts";
import { type LoadedFiles, loadPolicyFiles, policyFileNames, readNamedFile } from "../../policy-files.ts";
import { importPolicies, isPolicyModule } from "../../policy-module.ts";
import { unsealedReadOnly } from "../../store.ts";
import { placesOfCalls } from "./places.ts";

type Text = { readonly file: string; readonly text: string };
type Loaded = Extract<LoadResult, { ok: true }>;

export interface PolicyDeskOptions {
  readonly io: Io;
  /** As on the command line; empty: those of this directory. */
  readonly patterns: readonly string[];
  /** The store's directory. */
  readonly store: string;
}

export function policyDesk({ io, patterns, store }: PolicyDeskOptions): PolicyDesk {
  const history = join(store, "policies");

  async function onDisk(): Promise<{
    readonly found: LoadedFiles | undefined;
    readonly issues: readonly PolicyIssue[];
  }> {
    try {
      const found = await loadPolicyFiles(io, patterns, { analyse });
      return { found, issues: found.loaded.ok ? found.loaded.warnings : found.loaded.issues };
    } catch (error) {
      // No file, or one that cannot be read: the page says so where it says what is wrong with a file.
      const message = error instanceof Error ? error.message : String(error);
      const at = { file: "policies", line: 1, column: 1 } as const;
      return { found: undefined, issues: [{ code: "missing", severity: "error", ...at, message }] };
    }
  }

  async function inForce(): Promise<Loaded> {
    const { found, issues } = await onDisk();
    if (found?.loaded.ok === true) return found.loaded;
    throw invalid(issues);
  }

  const drafted = draftedPolicies(io, patterns);

  /** All files, or none: the new texts lie whole beside the old ones before the first is replaced. */
  async function write(files: readonly Text[], base: string | null): Promise<string> {
    const { found } = await onDisk();
    const now = found?.loaded.ok === true ? found.loaded.policies.revision : null;
    if (now !== base) {
      const detail = "the files were changed meanwhile: look at what they say now, and make the change again";
      throw new ProblemError({ status: 409, code: "policy.stale", detail });
    }
    const { policies } = await drafted(files);
    const known = new Set(found?.names ?? []);
    const foreign = files.find(({ file }) => !known.has(file) && !isNewName(file));
    if (foreign !== undefined) {
      const detail = `\`${foreign.file}\` is none of the policy files here; a new one is named like \`policies/refunds.yaml\``;
      throw new ProblemError({ status: 422, code: "policy.elsewhere", detail });
    }
    const missing = [...known].find((name) => !files.some(({ file }) => file === name));
    if (missing !== undefined) {
      const detail = `\`${missing}\` is one of the policy files and is not among these: send all of them`;
      throw new ProblemError({ status: 422, code: "policy.partial", detail });
    }
    const changed = changedFiles(files, io.cwd);
    if (found?.loaded.ok === true) keep(history, found.loaded.policies.revision, textsOf(found.names, io.cwd));
    keep(history, policies.revision, files);
    const staged = changed.map(({ file, text }) => stage(resolve(io.cwd, file), text));
    for (const { temporary, path } of staged) renameSync(temporary, path);
    return policies.revision;
  }

  return {
    async current() {
      const { found, issues } = await onDisk();
      const loaded = found?.loaded.ok === true ? found.loaded : undefined;
      const modes = new Map(loaded?.policies.rules.map((rule) => [rule.id, rule]));
      return {
        files: textsOf(found?.names ?? [], io.cwd).map((one) => ({ ...one, writable: !isPolicyModule(one.file) })),
        revision: loaded?.policies.revision ?? null,
        issues: issues.map(issueJson),
        rules: (loaded?.model.rules ?? []).map((rule) => ({
          id: rule.id,
          then: modes.get(rule.id)?.verdict ?? "deny",
          mode: modes.get(rule.id)?.observe === true ? ("observe" as const) : ("enforce" as const),
          tools: [...(rule.scope.tools ?? [])],
          file: rule.span.file,
          line: rule.span.line,
        })),
      };
    },
    async tools() {
      const { found } = await onDisk();
      if (found?.loaded.ok !== true) return [];
      const { model, policies } = found.loaded;
      return model.tools.map(({ name, labels }) => ({ tool: name, kind: policies.kind(name), labels: [...labels] }));
    },
    async access(callers, called) {
      const { model } = await inForce();
      const named = namedIn(model);
      const unseen = named.agents.filter((name) => !callers.some(({ agent }) => agent === name));
      const tools = [...new Set([...named.tools, ...called])].sort();
      const { access, incomplete } = accessOf(model, { callers, tools });
      return { access: access.map(accessJson), incomplete: [...incomplete], unseen };
    },
    schema: policySchema,
    async words() {
      const { found } = await onDisk();
      return conditionWords(found?.loaded.ok === true ? found.loaded.model : undefined);
    },
    async check(files) {
      const loaded = await load(files, io, patterns);
      const issues = (loaded.ok ? loaded.warnings : loaded.issues).map(issueJson);
      return { ok: loaded.ok, revision: loaded.ok ? loaded.policies.revision : null, issues };
    },
    async attempt({ files, call: line }) {
      const { policies } = await (files === undefined ? inForce() : drafted(files));
      try {
        const read = readCallLine(JSON.stringify(line));
        const decision = policies.explain(read.call, lineContexts(nodeClock.now())(read, 1));
        const { verdict, by, reason, fix = null, revision } = decision;
        const explanation = explainedJson({ call: read.call, decision, policies, recorded: null });
        return { decision: { verdict, by, reason, fix, revision, changed: decision.changed ?? null }, explanation };
      } catch (error) {
        throw new ProblemError({ status: 400, code: "call.malformed", detail: lineProblemText(error) });
      }
    },
    async backtest({ files, since, limit }) {
      const { policies } = await drafted(files);
      const tally = createTally(limit);
      const keys = openStoreKeys(store);
      const opened = unsealedReadOnly(openReadOnlySqliteStore({ directory: store }), keys);
      try {
        const from = since === undefined ? 0 : Date.parse(since);
        await backtestStore({ policies, against: undefined, tally }, opened, from);
        const result = tally.result();
        const places = await placesOfCalls(
          opened,
          result.changes.map(({ where }) => where),
        );
        return {
          revision: policies.revision,
          result: resultJson(result, { from: null, to: policies.revision }),
          places: Object.fromEntries(places),
        };
      } finally {
        await opened.close();
        keys.close();
      }
    },
    async activate(files, base) {
      return { revision: await write(files, base) };
    },
    async revisions() {
      const { found } = await onDisk();
      const now = found?.loaded.ok === true ? found.loaded.policies.revision : undefined;
      return { revisions: kept(history).map((one) => ({ ...one, current: one.revision === now })) };
    },
    async rollBack(revision, base) {
      const files = readKept(history, revision);
      if (files === undefined) {
        throw new ProblemError({ status: 404, code: "revision.missing", detail: "no files of this revision are kept" });
      }
      return { revision: await write(files, base) };
    },
  };
}

export type DraftedPolicies = (files: readonly Text[]) => Promise<Loaded>;

/** @throws ProblemError with every issue where the texts do not load. */
export function draftedPolicies(io: Io, patterns: readonly string[]): DraftedPolicies {
  return async (files) => {
    const loaded = await load(files, io, patterns);
    if (!loaded.ok) throw invalid(loaded.issues);
    return loaded;
  };
}

/** A module is read from its file, never from a text that was sent, and only one of the policy files is ever run. */
async function load(files: readonly Text[], io: Io, patterns: readonly string[]): Promise<LoadResult> {
  const { cwd } = io;
  const inputs: PolicyInput[] = [];
  const modules = files.some(({ file }) => isPolicyModule(file)) ? policyFileNames(io, patterns) : [];
  for (const one of files) {
    if (!isPolicyModule(one.file)) {
      inputs.push(one);
      continue;
    }
    if (!modules.includes(one.file) || !isUnchanged(one, cwd)) throw readOnly(one.file);
    const built = await importPolicies(one.file, cwd);
    if ("issue" in built) return { ok: false, issues: [built.issue] };
    inputs.push(...built.policies);
  }
  return loadPolicies(inputs, { hash: nodeHash, readFile: readNamedFile(cwd), analyse });
}

/** Files that say something else than on disk; a module must not. */
function changedFiles(files: readonly Text[], cwd: string): readonly Text[] {
  const changed = files.filter((one) => !isUnchanged(one, cwd));
  const module = changed.find(({ file }) => isPolicyModule(file));
  if (module !== undefined) throw readOnly(module.file);
  return changed;
}

function isUnchanged({ file, text }: Text, cwd: string): boolean {
  const path = resolve(cwd, file);
  return existsSync(path) && readFileSync(path, "utf8") === text;
}

function readOnly(file: string): ProblemError {
  const detail = `\`${file}\` is TypeScript: it is changed where it is kept, and read here as it lies there`;
  return new ProblemError({ status: 422, code: "policy.readonly", detail });
}

function invalid(issues: readonly PolicyIssue[]): ProblemError {
  // Warnings stand among them by their place; what keeps the set from loading is an error.
  const [first, ...others] = issues.filter(({ severity }) => severity === "error");
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const detail =
    first === undefined
      ? "the policies do not load"
      : `${first.file}:${first.line}:${first.column}: ${first.message}${more}`;
  return new ProblemError({ status: 422, code: "policy.invalid", detail, more: { issues: issues.map(issueJson) } });
}

function issueJson({ severity, code, message, suggestion, file, line, column }: PolicyIssue) {
  const hint = suggestion ?? null;
  return { severity, code, message, hint, file, line, column, end_line: null, end_column: null };
}

/** Files of TypeScript are shown, and changed where they are kept. */
function textsOf(names: readonly string[], cwd: string): Text[] {
  return names.map((file) => ({ file, text: readFileSync(resolve(cwd, file), "utf8") }));
}

/** A new file lies where the files of a directory are looked for. */
function isNewName(file: string): boolean {
  return /^(policies\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.ya?ml$/.test(file);
}

function stage(path: string, text: string): { readonly temporary: string; readonly path: string } {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const mode = existsSync(path) ? statSync(path).mode & 0o777 : 0o644;
  writeFileSync(temporary, text, { flag: "wx", mode });
  return { temporary, path };
}

const REVISION_FILE = /^([0-9a-f]{8,64})\.json$/;

/** What a revision's files said, for going back to it. */
function keep(history: string, revision: string, files: readonly Text[]): void {
  mkdirSync(history, { recursive: true, mode: 0o700 });
  const staged = stage(join(history, `${revision}.json`), `${JSON.stringify(files)}\n`);
  renameSync(staged.temporary, staged.path);
}

/** Newest first. */
function kept(history: string): { revision: string; at: string; files: string[] }[] {
  if (!existsSync(history)) return [];
  const found = readdirSync(history).flatMap((name) => {
    const revision = REVISION_FILE.exec(name)?.[1];
    if (revision === undefined) return [];
    const files = readKept(history, revision) ?? [];
    return [{ revision, at: statSync(join(history, name)).mtime.toISOString(), files: files.map(({ file }) => file) }];
  });
  return found.sort((left, right) => (left.at < right.at ? 1 : -1));
}

function readKept(history: string, revision: string): readonly Text[] | undefined {
  const path = join(history, `${revision}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as readonly Text[]) : undefined;
}
