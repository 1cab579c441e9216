/** A file's text by the `yaml` package → the policy tree, or what the package and the format have against it. */
import type { PolicyIssue, PolicyTree } from "@saferun/core";
import { type Document, isScalar, parseAllDocuments, type YAMLError } from "yaml";
import { convert } from "./convert.ts";
import type { PlainItems } from "./plain-items.ts";
import { Problems, type SourceText } from "./source-text.ts";

export interface ParsedFile {
  /** Absent when there is no tree worth checking. */
  readonly tree?: PolicyTree;
  /** Errors only; with any of them the file does not load, tree or not. */
  readonly issues: readonly PolicyIssue[];
}

/** Total. `plain`: items that were read already; the tree is right only if none of them is left afterwards. */
export function readYaml(source: SourceText, plain?: PlainItems): ParsedFile {
  const problems = new Problems(source);
  try {
    const document = onlyDocument(plain?.outline ?? source.text, problems);
    if (document === undefined) return { issues: problems.all };
    const root = convert(document.contents, source, problems, plain);
    return { tree: { file: source.file, root }, issues: problems.all };
  } catch (error) {
    // Nesting deep enough to exhaust the stack of the YAML package, or a fault in it.
    const why = error instanceof RangeError ? "it is nested too deep" : "it is not readable as YAML";
    problems.add("syntax", 0, `the file cannot be read: ${why}`);
    return { issues: problems.all };
  }
}

function onlyDocument(text: string, problems: Problems): Document.Parsed | undefined {
  const documents = parseAllDocuments(text, {
    version: "1.2",
    schema: "core",
    strict: true,
    merge: false,
    // Our own check is linear.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [first, second] = "empty" in documents ? [] : documents;
  if (first === undefined || isNothing(first.contents)) {
    if (first !== undefined) addYamlErrors(first, problems);
    if (problems.all.length === 0)
      problems.add("empty", 0, "the file is empty: no rule and no environment stands in it");
    return undefined;
  }
  if (second !== undefined) {
    problems.add("yaml-documents", second.range[0], "a second YAML document begins here; use one file for each");
  }
  addYamlErrors(first, problems);
  if (first.directives?.yaml.explicit === true) {
    problems.add("yaml-directive", 0, "a `%YAML` directive is not allowed; the format is YAML 1.2");
  }
  return first.errors.length > 0 ? undefined : first;
}

function isNothing(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null && contents.source === "");
}

function addYamlErrors(document: Document.Parsed, problems: Problems): void {
  for (const error of document.errors) problems.add("syntax", error.pos[0], explain(error));
  // Tags are reported with their node; any other warning is about text that the package read its own way.
  for (const warning of document.warnings) {
    if (warning.code !== "TAG_RESOLVE_FAILED") problems.add("syntax", warning.pos[0], lower(warning.message));
  }
}

function explain(error: YAMLError): string {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "a tab stands where the indentation is; use spaces";
    case "BLOCK_AS_IMPLICIT_KEY":
      return "`: ` inside a text begins a map in YAML; put the text in quotes";
    case "MULTILINE_IMPLICIT_KEY":
      return "this line has no `key: value`; end the key with `: `, or put a text of several lines in quotes";
    case "MISSING_CHAR":
      return error.message.startsWith("Implicit map key")
        ? "a key without its value stands here; write `key: value`"
        : lower(error.message);
    case "BAD_SCALAR_START":
      return `${lower(error.message)}; put the text in quotes`;
    case "UNEXPECTED_TOKEN":
      return error.message.includes("at node end")
        ? "the text goes on after its end; put the whole text in quotes"
        : lower(error.message);
    case "RESOURCE_EXHAUSTION":
      return "the file is nested too deep";
    default:
      return lower(error.message);
  }
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replaceAll("\n", " ");
}
