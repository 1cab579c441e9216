import { Fault } from "../issues.ts";
import { hostName } from "./host-name.ts";

/** Letters, digits and what no mail system gives a meaning. `%` and `!` were routes, `"…"` and `(…)` have two readings. */
const LOCAL_PART = /^[A-Za-z0-9_+'&=~#-]+(?:\.[A-Za-z0-9_+'&=~#-]+)*$/;

/** `bob@Acme.com` → `acme.com`. One bare address, nothing around it. */
export function mailDomain(mail: string, offset: number): string | Fault {
  const at = mail.indexOf("@");
  const local = mail.slice(0, Math.max(0, at));
  const domain = mail.length > 320 || at < 0 ? null : hostName(mail.slice(at + 1));
  if (domain === null || local.length > 64 || !LOCAL_PART.test(local)) {
    return new Fault("`domain` needs one bare mail address, such as `bob@acme.com`", offset);
  }
  return domain;
}
