/** SafeRun as a witness for other logs: what it has cosigned lies in a directory of its own. */
import { join } from "node:path";
import {
  addCheckpoint,
  type Clock,
  fromBase64,
  parseNoteKey,
  SafeRunError,
  type Signer,
  type TreeHead,
  toBase64,
  toHex,
  type WitnessAnswer,
} from "@saferun/core";
import { nodeVerifier } from "../node/file-signer.ts";
import { nodeClock, nodeHash } from "../node/ports.ts";
import {
  checkPrivateDirectory,
  makePrivateDirectory,
  readPrivateFile,
  replacePrivateFile,
} from "../node/private-files.ts";

export interface WitnessServerOptions {
  /** Where it remembers; one process at a time. */
  readonly directory: string;
  /** Its own key, whose file is no log's: the two kinds of signature must not meet in one key. */
  readonly signer: Signer;
  /** Public keys of the logs that it witnesses. */
  readonly logs: readonly string[];
  readonly clock?: Pick<Clock, "now">;
}

export interface Witness {
  /** Answers the body of one `POST add-checkpoint`. What it cosigns is remembered durably before. */
  addCheckpoint(body: string): WitnessAnswer;
}

export function createWitness({ directory, signer, logs, clock = nodeClock }: WitnessServerOptions): Witness {
  makePrivateDirectory(directory);
  checkPrivateDirectory(directory);
  const keys = logs.map((log) => parseNoteKey(log, nodeHash));
  const pathOf = (origin: string): string =>
    join(directory, `witnessed-${toHex(nodeHash.sha256(new TextEncoder().encode(origin)))}`);

  return {
    // Synchronous from reading to writing: no other request comes in between.
    addCheckpoint(body) {
      const logOf = (origin: string) => {
        const own = keys.filter(({ name }) => name === origin);
        return own.length === 0 ? undefined : { keys: own, head: headIn(readPrivateFile(pathOf(origin))) };
      };
      const seconds = Math.floor(clock.now() / 1_000);
      const answer = addCheckpoint(body, logOf, { hash: nodeHash, verifier: nodeVerifier, signer, seconds });
      if (answer.remember !== undefined) {
        const { origin, size, root } = answer.remember;
        replacePrivateFile(pathOf(origin), `${size}\n${toBase64(root)}\n`);
      }
      return answer;
    },
  };
}

function headIn(text: string | undefined): TreeHead | null {
  if (text === undefined) return null;
  const [size = "", encoded = ""] = text.split("\n");
  const root = fromBase64(encoded);
  if (root?.length === 32 && /^(0|[1-9][0-9]{0,14})$/.test(size)) return { size: Number(size), root };
  // Without its memory a witness would sign anything.
  throw new SafeRunError("record.corrupt", "what this witness remembers of a log is damaged: restore it");
}
