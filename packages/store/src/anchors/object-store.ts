/** Checkpoints in an object store that speaks S3, under an object lock: until it ends nobody can delete or change them. */
import { createHash } from "node:crypto";
import { type Clock, SafeRunError } from "@saferun/core";
import { nodeClock } from "../node/ports.ts";
import type { Anchor, OwnLog } from "./anchor.ts";
import { type AwsCredentials, signRequest } from "./aws-signature.ts";
import { boundedText } from "./bounded.ts";

export interface ObjectStoreOptions extends AwsCredentials {
  /** For example `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  /** With object lock turned on. */
  readonly bucket: string;
  /** Before the object's name; default `saferun/`. */
  readonly prefix?: string;
  /** How long nobody may delete a checkpoint. Default 400. */
  readonly lockDays?: number;
  readonly clock?: Pick<Clock, "now">;
  /** Default 10,000. */
  readonly timeoutMs?: number;
}

const DAY_MS = 86_400_000;
/** Of a note, and of a listing of a thousand objects. */
const MOST_BYTES = 65_536;
const MOST_LIST_BYTES = 4_194_304;
/** Of a thousand objects each: a day of a busy log. */
const MOST_PAGES = 100;

/**
 * Each checkpoint is an object of its own, `PREFIX/LOG/SIZE`, in compliance mode. An object that is there already is never
 * written over; one with other content is an error, because somebody else signs this log.
 */
export function createObjectStoreAnchor(options: ObjectStoreOptions): Anchor {
  const {
    endpoint,
    region,
    bucket,
    prefix = "saferun/",
    lockDays = 400,
    clock = nodeClock,
    timeoutMs = 10_000,
  } = options;

  async function send(method: "GET" | "PUT", url: URL, headers: Record<string, string>, body: string) {
    const signed = signRequest({ method, url, headers, body }, options, region, clock.now());
    const init = { method, headers: signed, redirect: "error", signal: AbortSignal.timeout(timeoutMs) } as const;
    return fetch(url, method === "PUT" ? { ...init, body } : init);
  }

  return {
    name: `object store ${bucket}`,
    ofOneLog: true,
    async publish({ log, size, note }) {
      const url = new URL(`/${bucket}/${prefix}${log}/${numbered(size)}`, endpoint);
      const put = await send("PUT", url, lockHeaders(note, clock.now() + lockDays * DAY_MS), note);
      await put.body?.cancel();
      if (put.ok) return note;
      if (put.status !== 412 && put.status !== 409) throw failure(`it answered ${put.status} to a write`);
      const there = await send("GET", url, {}, "");
      if (!there.ok || (await there.text()) !== note) throw failure(`another checkpoint over ${size} entries is there`);
      return note;
    },
    async kept({ id, checkpoints }) {
      const newest = await newestOf(id, await checkpoints());
      if (newest === undefined) return [];
      const answer = await send("GET", new URL(`/${bucket}/${newest}`, endpoint), {}, "");
      if (!answer.ok) throw failure(`it answered ${answer.status} to a read`);
      return [{ note: await boundedText(answer, MOST_BYTES) }];
    },
  };

  /**
   * Objects stand in the order of their sizes and are listed from the smallest: the list begins at the last of the log's own
   * checkpoints but one, and further back, each time twice as far, as long as nothing is there.
   */
  async function newestOf(
    id: string,
    checkpoints: Awaited<ReturnType<OwnLog["checkpoints"]>>,
  ): Promise<string | undefined> {
    const folder = `${prefix}${id}/`;
    for (let back = 2; ; back *= 2) {
      const size = checkpoints.at(-back)?.size;
      const found = await listFrom(folder, size === undefined ? folder : `${folder}${numbered(size)}`);
      if (found !== undefined || size === undefined) return found;
    }
  }

  /** The object that was written last, of those behind `after`: of two in one second the larger. */
  async function listFrom(folder: string, after: string): Promise<string | undefined> {
    let [newest, written, last] = [undefined as string | undefined, "", after];
    for (let page = 0; page < MOST_PAGES; page++) {
      const url = new URL(`/${bucket}`, endpoint);
      url.searchParams.set("list-type", "2");
      url.searchParams.set("prefix", folder);
      url.searchParams.set("start-after", last);
      const answer = await send("GET", url, {}, "");
      if (!answer.ok) throw failure(`it answered ${answer.status} to a listing`);
      const text = await boundedText(answer, MOST_LIST_BYTES);
      if (!text.includes("<ListBucketResult")) throw failure("it answered a listing with something else");
      for (const object of text.split("<Contents>").slice(1)) {
        const size = /<Key>[^<]*\/(\d{15})<\/Key>/.exec(object)?.[1];
        if (size === undefined) continue;
        last = `${folder}${size}`;
        // ISO 8601 in UTC: text compares as time does.
        const at = /<LastModified>([^<]+)</.exec(object)?.[1] ?? "";
        if (at >= written) [newest, written] = [last, at];
      }
      if (!/<IsTruncated>\s*true/.test(text)) return newest;
    }
    throw failure("it holds too many checkpoints behind those of this log");
  }

  function failure(why: string): SafeRunError {
    return new SafeRunError(
      "record.unavailable",
      `the checkpoint is not kept in, or not read from, object store \`${bucket}\`: ${why}`,
    );
  }
}

function numbered(size: number): string {
  return String(size).padStart(15, "0");
}

function lockHeaders(note: string, until: number): Record<string, string> {
  return {
    "content-type": "text/plain; charset=utf-8",
    // Required where a lock is set; kept for stores that know no other checksum.
    "content-md5": createHash("md5").update(note).digest("base64"),
    "if-none-match": "*",
    "x-amz-object-lock-mode": "COMPLIANCE",
    "x-amz-object-lock-retain-until-date": new Date(until).toISOString(),
  };
}
