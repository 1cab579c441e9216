/** YAML text → the positioned tree of `@saferun/core`. Strict: what could be read in two ways is refused. */
import { LIMITS } from "@saferun/core";
import { HIDDEN } from "./hidden.ts";
import { findPlainItems } from "./plain-items.ts";
import { Problems, SourceText } from "./source-text.ts";
import { type ParsedFile, readYaml } from "./yaml-text.ts";

export type { ParsedFile };

/** Total: whatever the text is, a tree or the reasons why there is none. */
export function parsePolicyFile(text: string, file: string): ParsedFile {
  const source = new SourceText(text.startsWith("\uFEFF") ? text.slice(1) : text, file);
  const problems = new Problems(source);
  refuseText(source, problems);
  if (problems.all.length > 0) return { issues: problems.all };
  // What the quick way does not read without any doubt is read, and refused, as a whole.
  const plain = findPlainItems(source);
  const quick = plain === undefined ? undefined : readYaml(source, plain);
  return quick?.tree !== undefined && quick.issues.length === 0 && plain?.left === false ? quick : readYaml(source);
}

function refuseText(source: SourceText, problems: Problems): void {
  // A code unit is at least one byte, so that the cheap check comes first.
  if (source.text.length > LIMITS.policyBytes || new TextEncoder().encode(source.text).length > LIMITS.policyBytes) {
    problems.add("limit", 0, `the file is larger than ${LIMITS.policyBytes} bytes`);
    return;
  }
  if (!source.text.isWellFormed()) problems.add("syntax", 0, "the file is no well-formed text");
  const hidden = HIDDEN.exec(source.text);
  if (hidden !== null) {
    const code = hidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    problems.add("hidden-character", hidden.index, `the invisible character U+${code} is not allowed; remove it`);
  }
}
