import { Fault } from "../issues.ts";
import { hasInvisible } from "./hidden.ts";
import { embedsVersion4, hostName, parseAddress } from "./host-name.ts";

const LONGEST = 8_192;
/** Scheme, host, port, and the rest from the first `/`, `?` or `#`. */
const PARTS = /^(?:(?:https?|wss?):\/\/|(?=www\.))(\[[^\]]*\]|[^:/?#[\]]+)(?::([1-9]\d{0,4}))?(?:[/?#]|$)/;

/**
 * `https://API.acme.com:8443/v1` → `api.acme.com`; an address of version 6 without its brackets. `www.acme.com` is read as https.
 * What two programs could read as two hosts is an error: user names, backslashes, blanks, odd spellings of addresses,
 * letters of other scripts.
 */
export function urlHost(url: string, offset: number): string | Fault {
  const refused = new Fault("`host` needs a plain http or https address, such as `https://acme.com/path`", offset);
  if (url.length > LONGEST || /[\s\\]/.test(url) || hasInvisible(url)) return refused;
  const [, authority = "", port = "0"] = PARTS.exec(url) ?? [];
  // Some programs end the host at the first `/` only: an `@` before that would make another host of it.
  const [beforePath = ""] = url.replace(/^\w+:\/\//, "").split("/", 1);
  if (authority === "" || Number(port) > 65_535 || beforePath.includes("@")) return refused;
  const host = authority.startsWith("[") ? address6(authority.slice(1, -1)) : nameOrAddress4(authority);
  return host !== null && agrees(url, host) ? host : refused;
}

function nameOrAddress4(text: string): string | null {
  return parseAddress(text)?.version === 4 ? text : hostName(text);
}

function address6(text: string): string | null {
  const address = parseAddress(text);
  return address?.version === 6 && !embedsVersion4(address) ? text : null;
}

/** The URL standard's own parser has to see the same host. */
function agrees(url: string, host: string): boolean {
  try {
    const { hostname } = new URL(url.startsWith("www.") ? `https://${url}` : url);
    return hostname.replace(/^\[|\]$|\.$/g, "") === host;
  } catch {
    return false;
  }
}
