/**
 * Policies that a TypeScript module builds. Its import runs its code, with the rights of whoever runs the command: a
 * project's own module is believed as its build scripts are.
 */
import { readFileSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { PolicyIssue, Span } from "@saferun/core";
import { Policy } from "@saferun/document";
import { printable } from "./output/printable.ts";

export function isPolicyModule(file: string): boolean {
  return /(?<!\.d)\.m?ts$/.test(file);
}

/** What the module exports that `policy(…)` gave, alone or in lists; else why there is none, with its place. Total. */
export async function importPolicies(
  file: string,
  cwd: string,
): Promise<{ readonly policies: readonly Policy[] } | { readonly issue: PolicyIssue }> {
  let exported: unknown[];
  try {
    const module = (await import(pathToFileURL(resolve(cwd, file)).href)) as Readonly<Record<string, unknown>>;
    exported = Object.values(module).flat();
  } catch (error) {
    return { issue: issueOf("module-failed", thrownAt(error, file, cwd), `the module fails: ${words(error)}`) };
  }
  const top = { file, line: 1, column: 1 };
  const policies = new Set(exported.filter((value) => value instanceof Policy));
  if (exported.some((value) => !(value instanceof Policy) && looksLikePolicy(value))) {
    const message = "its policy was built by another copy of SafeRun; run the project's own command: `npx saferun`";
    return { issue: issueOf("foreign-policy", top, message) };
  }
  if (policies.size > 0) return { policies: [...policies] };
  return { issue: issueOf("no-policy", top, "the module exports no policy; export what `policy(…)` gives") };
}

function looksLikePolicy(value: unknown): boolean {
  return typeof value === "object" && value !== null && "tree" in value && "issues" in value;
}

function issueOf(code: string, { file, line, column }: Span, message: string): PolicyIssue {
  return { code, severity: "error", file, line, column, message };
}

/** The name and the first line: the rest is an excerpt and a stack, which the place stands for. */
function words(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const first = text.split("\n").find((line) => line.trim() !== "") ?? "";
  return printable(first.length > 300 ? `${first.slice(0, 300)}…` : first);
}

/** The first place of the project that the stack names; the module's first line where there is none. */
function thrownAt(error: unknown, file: string, cwd: string): Span {
  const lines = error instanceof Error && typeof error.stack === "string" ? error.stack.split("\n") : [];
  return (
    syntaxPlace(lines, cwd) ?? lines.flatMap((line) => framePlace(line, cwd) ?? [])[0] ?? { file, line: 1, column: 1 }
  );
}

/** What does not parse is named in front of its stack: the place, the line, and a caret below it. */
function syntaxPlace([head = "", , caret = ""]: readonly string[], cwd: string): Span | undefined {
  const [, address = "", line] = /^(\S+):(\d+)$/.exec(head) ?? [];
  const column = /^ *\^/.test(caret) ? caret.indexOf("^") + 1 : 1;
  return line === undefined ? undefined : projectPlace(address, Number(line), column, cwd);
}

function framePlace(frame: string, cwd: string): Span | undefined {
  const [, address = "", line, column] = /^\s*at (?:.*? \()?(file:\/\/.+?|\/.+?):(\d+):(\d+)\)?$/.exec(frame) ?? [];
  return projectPlace(address, Number(line), Number(column), cwd);
}

function projectPlace(address: string, line: number, column: number, cwd: string): Span | undefined {
  if (address === "") return undefined;
  const path = address.startsWith("file://") ? fileURLToPath(address) : address;
  const file = relative(cwd, path);
  const foreign = file === "" || file.startsWith("..") || file.split(sep).includes("node_modules");
  return foreign ? undefined : { file, line, column };
}

/** The text of a source that an issue names; undefined where it cannot be read. */
export function sourceText(file: string, cwd: string): string | undefined {
  try {
    return readFileSync(resolve(cwd, file), "utf8");
  } catch {
    return undefined;
  }
}
