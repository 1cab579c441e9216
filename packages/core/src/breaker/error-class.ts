/** The class of a failure, from the protocol that reported it and never from the words of a text. */

/** What an adapter knows of a failure. All of it may be absent. */
export interface Failure {
  /** HTTP. */
  readonly status?: number;
  /** The machine-readable code: of a system error (`ETIMEDOUT`), an API (`card_declined`), JSON-RPC (-32602). */
  readonly code?: string | number;
  /** The gate or the adapter stopped waiting. */
  readonly timedOut?: boolean;
}

/** Classes that tell about the tool's health and not about what the agent does. */
const OF_HEALTH: ReadonlySet<string> = new Set(["rate_limit", "server_error"]);

const BY_CODE: Readonly<Record<string, string>> = {
  ETIMEDOUT: "timeout",
  ESOCKETTIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  ECONNREFUSED: "server_error",
  ECONNRESET: "server_error",
  EPIPE: "server_error",
  ENOTFOUND: "server_error",
  EAI_AGAIN: "server_error",
};

/** What an error tells of itself by the names that clients use. Total: an error may be anything at all. */
export function failureOf(error: unknown): Failure {
  const status = numberAt(error, "status") ?? numberAt(error, "statusCode");
  const code = wordAt(error, "code") ?? wordAt(valueAt(error, "cause"), "code");
  const timedOut = valueAt(error, "name") === "TimeoutError";
  return { ...(status === undefined ? {} : { status }), ...(code === undefined ? {} : { code }), timedOut };
}

/** What a failure says about the tool's health: true it works, false it does not, null nothing. */
export function healthOf(failure: Failure): boolean | null {
  const found = errorClass(failure);
  if (isOfHealth(found) || found === "timeout") return false;
  // An answer by the protocol, if only a refusal, comes from a tool that works; an error without a class says nothing.
  return found === "error" ? null : true;
}

function numberAt(of: unknown, key: string): number | undefined {
  const value = valueAt(of, key);
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

function wordAt(of: unknown, key: string): string | number | undefined {
  const value = valueAt(of, key);
  return typeof value === "string" ? value : numberAt(of, key);
}

function valueAt(of: unknown, key: string): unknown {
  if (of === null || typeof of !== "object") return undefined;
  try {
    return (of as Readonly<Record<string, unknown>>)[key];
  } catch {
    return undefined;
  }
}

/** `rate_limit`, `server_error`, `timeout`, `denied`, `not_found`, `conflict`, `invalid`, a code of the tool's own, or `error`. */
export function errorClass({ status, code, timedOut }: Failure): string {
  if (timedOut === true) return "timeout";
  if (status !== undefined && status >= 400) return byStatus(status);
  if (typeof code === "number") return byRpcCode(code);
  if (code !== undefined && Object.hasOwn(BY_CODE, code)) return BY_CODE[code] ?? "error";
  // The tool's own code, bounded: it is compared and stored, never shown.
  return code === undefined || code === "" ? "error" : `code:${code.slice(0, 64)}`;
}

/** True for classes that the loop detectors leave to the health breaker. */
export function isOfHealth(errorClass: string | null): boolean {
  return errorClass !== null && OF_HEALTH.has(errorClass);
}

function byStatus(status: number): string {
  if (status === 429) return "rate_limit";
  if (status === 408 || status === 504) return "timeout";
  if (status >= 500) return "server_error";
  if (status === 401 || status === 403) return "denied";
  if (status === 404 || status === 410) return "not_found";
  return status === 409 || status === 412 ? "conflict" : "invalid";
}

/** JSON-RPC 2.0: -32600 to -32602 and -32700 are the caller's, -32603 the server's. */
function byRpcCode(code: number): string {
  if (code === -32603) return "server_error";
  if (code === -32700 || (code <= -32600 && code >= -32602)) return "invalid";
  return `code:${code}`;
}
