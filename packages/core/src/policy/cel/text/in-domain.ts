import { Fault } from "../issues.ts";
import { hostName, parseAddress } from "./host-name.ts";

/** Whether a host is a domain or lies below it, label by label. An address lies in no domain. */
export function inDomain(host: string, domain: string, offset: number): boolean | Fault {
  const outer = hostName(domain);
  if (outer === null) return new Fault("`inDomain` needs a domain such as `acme.com` as its second argument", offset);
  if (parseAddress(host) !== null) return false;
  const inner = hostName(host);
  if (inner === null) {
    return new Fault(
      "`inDomain` needs a host name first: take it with `host(…)` from an address of a page, with `domain(…)` from a mail address",
      offset,
    );
  }
  return inner === outer || inner.endsWith(`.${outer}`);
}
