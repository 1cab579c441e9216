/** Texts that look like credentials: the forms that their issuers publish, and assignments of long random values. */
import { Fault } from "../issues.ts";
import { hasInvisible } from "./hidden.ts";

/** Each is anchored by fixed letters and bounded, so that a search is linear. */
const FORMS: readonly RegExp[] = [
  /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/,
  /PuTTY-User-Key-File-\d/,
  /AGE-SECRET-KEY-1[0-9A-Z]{20}/,
  // Amazon, Google, Azure, DigitalOcean
  /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])/,
  /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}/,
  /(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_-]{20}/,
  /GOCSPX-[A-Za-z0-9_-]{20}/,
  /AccountKey=[A-Za-z0-9+/]{40}/,
  /(?<![A-Za-z0-9])do[opr]_v1_[0-9a-f]{32}/,
  // source code and packages
  /(?<![A-Za-z0-9])gh[oprsu]_[A-Za-z0-9]{30}/,
  /github_pat_[A-Za-z0-9_]{20}/,
  /(?<![A-Za-z0-9])gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{18}/,
  /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{30}/,
  /pypi-AgE[A-Za-z0-9_-]{20}/,
  // messages and mail
  /(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10}/,
  /(?<![A-Za-z0-9])xapp-\d-[A-Za-z0-9-]{10}/,
  /hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/]{20}/,
  /(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16}/,
  /(?<![A-Za-z0-9])key-[0-9a-f]{32}/,
  /(?<![A-Za-z0-9])(?:AC|SK)[0-9a-f]{32}(?![0-9a-f])/,
  // payments, models, platforms
  /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[A-Za-z0-9]{10}/,
  /(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{20}/,
  /(?<![A-Za-z0-9])sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20}/,
  /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30}/,
  /(?<![A-Za-z0-9])(?:shpat|shpca|shppa|shpss)_[0-9a-fA-F]{32}/,
  /(?<![A-Za-z0-9])lin_(?:api|oauth)_[A-Za-z0-9]{20}/,
  /(?<![A-Za-z0-9])dapi[0-9a-f]{32}/,
  /(?<![A-Za-z0-9])hv[bs]\.[A-Za-z0-9_-]{20}/,
  // tokens with a structure, and credentials inside an address or a header
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8}/,
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
