/** A witness: somebody else who sees every checkpoint, and signs it only if the log has grown out of the one before. */
import { addCheckpointBody, cosignedAt, parseNote, parseWitnessKey, SafeRunError } from "@saferun/core";
import { nodeVerifier } from "../node/file-signer.ts";
import { nodeHash } from "../node/ports.ts";
import type { Anchor } from "./anchor.ts";
import { boundedText } from "./bounded.ts";

export interface WitnessOptions {
  /** Its submission prefix: `add-checkpoint` is below it. */
  readonly url: string;
  /** Its public key, `NAME+ID+BASE64`. */
  readonly key: string;
  /** Default 10,000. */
  readonly timeoutMs?: number;
}

const TRIES = 5;
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
        const { status, said, has } = await post(body);
        if (status === 200) {
          known.set(log, size);
          return cosigned(note, said);
        }
        if (has === undefined || has > size) throw failure(`it answered ${status}`);
        known.set(log, has);
      }
      throw failure("it does not go on from the size that it says it has");
    },
    /**
     * It has no other question than to be told the log's head: told from where it does not stand, it says where it stands;
     * told from there, it signs what grew out of that, and nothing else.
     */
    async kept({ checkpoints, prove }) {
      let told = 0;
      for (let tries = 0; tries < TRIES; tries++) {
        const last = (await checkpoints()).at(-1);
        if (last === undefined) return [];
        const path = told === 0 ? [] : await prove(told, last.size);
        const { status, has } = await post(addCheckpointBody(told, path, last.note));
        // Signed; or a log that it does not witness, and says nothing of.
        if (status === 200 || status === 404) return [];
        if (status === 422 && told > 0) return [{ size: told }];
        if (has === undefined) throw failure(`it answered ${status}`);
        // Another process may have signed and told it more meanwhile: then the log has that head.
        const now = (await checkpoints()).at(-1)?.size ?? 0;
        if (has > now) return [{ size: has }];
        told = has;
      }
      throw failure("others tell it more again and again");
    },
  };

  async function post(body: string) {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(target, { method: "POST", body, redirect: "error", signal });
    const said = await boundedText(answer, MOST_BYTES);
    const has = answer.status === 409 ? /^(0|[1-9][0-9]{0,14})\n$/.exec(said)?.[1] : undefined;
    return { status: answer.status, said, has: has === undefined ? undefined : Number(has) };
  }

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
