/** A bundle in a page that verifies it: one file, no network. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { failed } from "../exit.ts";

/** Built from `page/verify.js`: `npm run pages` in the repository. */
const SCRIPT = new URL("../../dist/verifier.js", import.meta.url);

/** The bundle that such a page carries; undefined for any other text. What the page itself says or does is not looked at. */
export function bundleInPage(text: string): string | undefined {
  const found = /<script id="bundle" type="text\/plain">([A-Za-z0-9+/=\s]*)<\/script>/.exec(text)?.[1];
  return found === undefined ? undefined : Buffer.from(found, "base64").toString();
}

/** @throws CommandError `page.missing` where the page's script was not built. */
export function evidencePage(bundle: string): string {
  if (!existsSync(SCRIPT)) {
    throw failed("page.missing", "the page's script is not built: run `npm run pages` in the repository");
  }
  const script = readFileSync(SCRIPT, "utf8");
  const hash = createHash("sha256").update(script).digest("base64");
  const values: Readonly<Record<string, string>> = {
    "%HASH%": hash,
    // As base64 nothing of the record can end the element that it stands in.
    "%BUNDLE%": Buffer.from(bundle).toString("base64"),
    "EVIDENCE_SCRIPT;": script,
  };
  const page = readFileSync(new URL("./page/page.html", import.meta.url), "utf8");
  return page.replace(/%HASH%|%BUNDLE%|EVIDENCE_SCRIPT;/g, (place) => values[place] ?? "");
}
