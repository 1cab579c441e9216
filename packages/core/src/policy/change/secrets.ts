/** Keys whose shape tells what they are. A list, not a guess: what looks random is left alone. */
import type { Found } from "./find.ts";

/** Each begins where a word does, so that a text is read once for each shape. */
const SHAPES: readonly string[] = [
  "(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}",
  "whsec_[A-Za-z0-9+/=]{20,}",
  "sk-[A-Za-z0-9_-]{20,}",
  "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
  "gh[pousr]_[A-Za-z0-9]{30,}",
  "github_pat_[A-Za-z0-9_]{22,}",
  "glpat-[A-Za-z0-9_-]{20,}",
  "xox[abeoprs]-[A-Za-z0-9-]{10,}",
  "xapp-[A-Za-z0-9-]{10,}",
  "AIza[A-Za-z0-9_-]{35}",
  "ya29\\.[A-Za-z0-9_-]{20,}",
  "npm_[A-Za-z0-9]{36}",
  "pypi-[A-Za-z0-9_-]{50,}",
  "hf_[A-Za-z0-9]{30,}",
  "lin_api_[A-Za-z0-9]{30,}",
  "SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}",
  "eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]*",
];
const KEY = new RegExp(`(?<![A-Za-z0-9_-])(?:${SHAPES.join("|")})`, "g");
/** To its end, or to the end of the text: half of a key is still one. */
const PEM =
  /-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----|$(?![\s\S]))/g;

export function secretsIn(text: string): readonly Found[] {
  return [KEY, PEM].flatMap((shape) =>
    [...text.matchAll(shape)].map(({ index, 0: matched }) => ({ start: index, end: index + matched.length })),
  );
}
