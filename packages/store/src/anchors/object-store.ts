/** Checkpoints in an object store that speaks S3, under an object lock: until it ends nobody can delete or change them. */
import { createHash } from "node:crypto";
import { type Clock, SafeRunError } from "@saferun/core";
import { nodeClock } from "../node/ports.ts";
import type { Anchor } from "./anchor.ts";
import { type AwsCredentials, signRequest } from "./aws-signature.ts";

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
    async publish({ log, size, note }) {
      const url = new URL(`/${bucket}/${prefix}${log}/${String(size).padStart(15, "0")}`, endpoint);
      const put = await send("PUT", url, lockHeaders(note, clock.now() + lockDays * DAY_MS), note);
      await put.body?.cancel();
      if (put.ok) return note;
      if (put.status !== 412 && put.status !== 409) throw failure(`it answered ${put.status} to a write`);
      const there = await send("GET", url, {}, "");
      if (!there.ok || (await there.text()) !== note) throw failure(`another checkpoint over ${size} entries is there`);
      return note;
    },
  };

  function failure(why: string): SafeRunError {
    return new SafeRunError("record.unavailable", `the checkpoint is not kept in object store \`${bucket}\`: ${why}`);
  }
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
