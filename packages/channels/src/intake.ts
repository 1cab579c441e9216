/** The first steps of every incoming request: how much, how old, said before? */

/** Far above what a vendor sends for one click; a call's arguments never come back through here whole. */
export const BODY_BYTES = 1_048_576;
const WINDOW_MS = 300_000;

/** The raw bytes, or undefined when there are more than `most`: no more than that is ever held. */
export async function readBody(request: Request, most = BODY_BYTES): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return undefined;
  if (request.body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body) {
    size += piece.length;
    if (size > most) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Neither older than the window nor from further in the future than that: a stolen request must not keep. */
export function isRecent(atMs: number, now: number, windowMs = WINDOW_MS): boolean {
  return Number.isFinite(atMs) && Math.abs(now - atMs) <= windowMs;
}

/** Plain decimal seconds as vendors send them; NaN for anything else. */
export function secondsToMs(text: string | null): number {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) * 1_000 : Number.NaN;
}

/**
 * Gives a request that comes twice its first answer, without doing anything again. Failures are forgotten, so that a
 * request which was not written down can be sent again. Longer than the window is not needed: older ones are refused.
 */
export class Repeats<Reply> {
  readonly #replies = new Map<string, { readonly at: number; readonly reply: Promise<Reply> }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  once(key: string, work: () => Promise<Reply>): Promise<Reply> {
    const now = this.#now();
    for (const [old, { at }] of this.#replies) {
      if (now - at <= 2 * WINDOW_MS && this.#replies.size < MOST_REPLIES) break;
      this.#replies.delete(old);
    }
    const known = this.#replies.get(key);
    if (known !== undefined) return known.reply;
    const reply = work();
    this.#replies.set(key, { at: now, reply });
    reply.catch(() => this.#replies.delete(key));
    return reply;
  }
}

const MOST_REPLIES = 10_000;
