/** Texts that look like credentials: the forms that their issuers publish, and assignments of long random values. */
import { KEY_FORM, PEM_BEGIN } from "../../secret-forms.ts";
import { Fault } from "../issues.ts";
import { hasInvisible } from "./hidden.ts";

/** Each is anchored by fixed letters and bounded, so that a search is linear. */
const FORMS: readonly RegExp[] = [
  new RegExp(KEY_FORM),
  new RegExp(PEM_BEGIN),
  /PuTTY-User-Key-File-\d/,
  // credentials inside an address, a header, an assignment
  /[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{1,64}:[^\s/@]{3,128}@/i,
  /\bauthorization\b["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|basic|token)\s{1,3}[A-Za-z0-9+/=._~-]{8}/i,
  /(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token|client[_-]?secret|private[_-]?key)["']?\s{0,3}(?::|=>?)\s{0,3}["']?[^\s"'<>{}$*]{6}/i,
];

/** Whether a text holds something of a kind. Only `secret` so far; a secret that looks like nothing known is not found. */
export function holds(text: string, kind: string, offset: number): boolean | Fault {
  if (kind !== "secret") return new Fault('`holds` knows one kind so far: `holds(text, "secret")`', offset);
  // A character that nobody sees would cut a secret in two.
  if (hasInvisible(text)) return new Fault("`holds` of a text with invisible characters", offset);
  return FORMS.some((form) => form.test(text));
}
