/** A witness: somebody else who sees every checkpoint, and signs it only if the log has grown out of the one before. */
import { addCheckpointBody, cosignedAt, parseNote, parseWitnessKey, SafeRunError } from "@saferun/core";
import { nodeVerifier } from "../node/file-signer.ts";
import { nodeHash } from "../node/ports.ts";
import type { Anchor } from "./anchor.ts";

export interface WitnessOptions {
  /** Its submission prefix: `add-checkpoint` is below it. */
  readonly url: string;
  /** Its public key, `NAME+ID+BASE64`. */
  readonly key: string;
  /** Default 10,000. */
  readonly timeoutMs?: number;
}

/** Bytes of an answer at most. */
const MOST_BYTES = 65_536;

/** C2SP `tlog-witness`. What is published comes back with the witness's signature. */
export function createWitnessAnchor({ url, key: text, timeoutMs = 10_000 }: WitnessOptions): Anchor {
  const key = parseWitnessKey(text, nodeHash);
  const target = new URL("add-checkpoint", url.endsWith("/") ? url : `${url}/`);
  /** Size of the last head that it has cosigned, of each log, as far as it said. */
  const known = new Map<string, number>();

  return {
    name: `witness ${key.name}`,
    async publish({ log, size, note, prove }) {
      for (let tries = 0; tries < 2; tries++) {
        const oldSize = Math.min(known.get(log) ?? 0, size);
        const path = oldSize === 0 ? [] : await prove(oldSize);
        const body = addCheckpointBody(oldSize, path, note);
        const answer = await fetch(target, {
          method: "POST",
          body,
          redirect: "error",
          signal: AbortSignal.timeout(timeoutMs),
        });
        const said = await bounded(answer);
        if (answer.status === 200) {
          known.set(log, size);
          return cosigned(note, said);
        }
        const has = answer.status === 409 ? /^(0|[1-9][0-9]{0,14})\n$/.exec(said)?.[1] : undefined;
        if (has === undefined || Number(has) > size) throw failure(`it answered ${answer.status}`);
        known.set(log, Number(has));
      }
      throw failure("it does not go on from the size that it says it has");
    },
  };

  /** The note with the witness's own lines; others that came along are left out. */
  function cosigned(note: string, lines: string): string {
    const whole = parseNote(`${note}${lines}`);
    if (whole === undefined || cosignedAt(whole, key, nodeVerifier) === undefined) {
      throw failure("its signature is not the one of its key");
    }
    const own = lines.split("\n").filter((line) => line.startsWith(`— ${key.name} `));
    return `${note}${own.map((line) => `${line}\n`).join("")}`;
  }

  function failure(why: string): SafeRunError {
    return new SafeRunError("record.unavailable", `witness \`${key.name}\` has not signed the checkpoint: ${why}`);
  }
}

async function bounded(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of answer.body ?? []) {
    size += piece.length;
    if (size > MOST_BYTES) throw new SafeRunError("record.unavailable", "a witness that answers without end");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
