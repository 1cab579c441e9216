/** One POST to a vendor or to an address of the operator: no redirects, a time limit, and what its failure means. */
import type { SendFailure } from "@saferun/core";

const TIMEOUT_MS = 10_000;
/** Answers are read for an id or an error; more than that is not looked at. */
const ANSWER_CHARACTERS = 1_000_000;

export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly status: number;
  readonly afterMs: number;
  /** What the vendor said, for its own channel to read. */
  readonly text: string;
  constructor(status: number, afterMs: number, text: string) {
    super(`status ${status}`);
    this.status = status;
    this.afterMs = afterMs;
    this.text = text;
  }
}

/**
 * The answer's text. A redirect is a failure: it would take signatures and tokens along to an address that nobody
 * configured (traps.md, 24).
 * @throws HttpFailure for every status but 2xx; what fetch throws where there is no answer.
 */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  timeoutMs = TIMEOUT_MS,
): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/json", "user-agent": "saferun", ...headers },
    body,
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  const read = text.slice(0, ANSWER_CHARACTERS);
  if (!response.ok) throw new HttpFailure(response.status, retryAfterMs(response.headers.get("retry-after")), read);
  return read;
}

/** What a failed `post` means; `whose` begins the operator's line. */
export function postFailure(error: unknown, whose: string): SendFailure {
  if (!(error instanceof HttpFailure)) return { retry: true, message: `${whose} cannot be reached` };
  const { status, afterMs } = error;
  const retry = status >= 500 || status === 408 || status === 429;
  return { retry, afterMs, message: `${whose} answers with status ${status}` };
}

/** Seconds; a date is rare and not worth a parser: the schedule's own wait stands in. */
function retryAfterMs(text: string | null): number {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : 0;
}
