/** A bundle in a page that verifies it: one file, no network. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const read = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8");

export function evidencePage(bundle: string): string {
  const script = read("verifier.min.js");
  const hash = createHash("sha256").update(script).digest("base64");
  const values: Readonly<Record<string, string>> = {
    "%HASH%": hash,
    // As base64 nothing of the record can end the element that it stands in.
    "%BUNDLE%": Buffer.from(bundle).toString("base64"),
    "EVIDENCE_SCRIPT;": script,
  };
  return read("page.html").replace(/%HASH%|%BUNDLE%|EVIDENCE_SCRIPT;/g, (place) => values[place] ?? "");
}
