/**
 * Who may talk to `saferun dev`.
 *
 * Any page in the same browser can send requests to a local port, and any program of another account can connect to it.
 * So every request names our own host (a foreign name that resolves here is refused), carries a secret of this start, and
 * a write that is carried by a cookie must come from our own page (traps.md, 25).
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { nodeHash } from "@saferun/store";

const SECRET_BYTES = 32;
/** A link that nobody opened is void after this time. */
const LINK_MS = 600_000;
/** Links that wait at the same time. */
const MAX_LINKS = 16;

export interface Access {
  /** For the account's own programs; stands in a file of mode 0600. */
  readonly token: string;
  /** The cookie's name: cookies are shared by all ports of a host. */
  readonly cookieName: string;
  /** A code for one browser, used once: it stands in a URL's fragment, which browsers do not send. */
  issueLink(): string;
  /** The session that the code opens, or undefined. */
  redeem(code: string): Session | undefined;
  isToken(candidate: string): boolean;
  isSession(candidate: Session): boolean;
}

/**
 * Two halves, both wanted. A browser sends a host's cookies to every port of it, so that a program behind another port
 * gets the cookie when its page is opened; the page's key lies in storage of this origin alone, where no HttpOnly cookie is.
 */
export interface Session {
  readonly cookie: string;
  readonly pageKey: string;
}

export function createAccess(port: number, now: () => number): Access {
  const token = secret();
  const session: Session = { cookie: secret(), pageKey: secret() };
  let links: { readonly code: string; readonly until: number }[] = [];
  return {
    token,
    cookieName: `saferun_${port}`,
    issueLink() {
      const code = secret();
      links = [...links, { code, until: now() + LINK_MS }].slice(-MAX_LINKS);
      return code;
    },
    redeem(code) {
      const found = links.find((link) => sameSecret(link.code, code));
      if (found === undefined) return undefined;
      links = links.filter((link) => link !== found);
      return now() < found.until ? session : undefined;
    },
    isToken: (candidate) => sameSecret(token, candidate),
    isSession: ({ cookie, pageKey }) => {
      const same = [sameSecret(session.cookie, cookie), sameSecret(session.pageKey, pageKey)];
      return same.every(Boolean);
    },
  };
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** Compares digests, so that neither content nor length shows in the time it takes. */
function sameSecret(expected: string, candidate: string): boolean {
  const encoder = new TextEncoder();
  return timingSafeEqual(nodeHash.sha256(encoder.encode(expected)), nodeHash.sha256(encoder.encode(candidate)));
}

/** `Host` values that mean this server. A browser leaves out port 80. */
export function isOwnHost(host: string | undefined, port: number): boolean {
  const names = ["127.0.0.1", "localhost", "[::1]"];
  return names.some((name) => host === `${name}:${port}` || (port === 80 && host === name));
}

/** What a browser says about where a request comes from. Absent on both: no browser that we can believe. */
export interface RequestSource {
  readonly host: string;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

/** For reads: nothing says that another site asks. */
export function isOwnRead({ host, origin, fetchSite }: RequestSource): boolean {
  return (
    (origin === undefined || origin === `http://${host}`) &&
    (fetchSite === undefined || fetchSite === "same-origin" || fetchSite === "none")
  );
}

/** For writes: at least one header says that our own page asks, and none says otherwise. */
export function isOwnWrite(source: RequestSource): boolean {
  const { host, origin, fetchSite } = source;
  if (origin === undefined && fetchSite === undefined) return false;
  return (
    (origin === undefined || origin === `http://${host}`) && (fetchSite === undefined || fetchSite === "same-origin")
  );
}
