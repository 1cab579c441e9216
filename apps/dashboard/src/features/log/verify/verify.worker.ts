/** Reads the whole log and verifies it, beside the page: with the same code as `saferun log verify`. */
import { parseExportLine, type Verification, verifyLog } from "@saferun/core/verifier";
import { browserHash, browserVerifier } from "./crypto.ts";
import type { VerifyMessage, VerifyRequest, VerifyResult } from "./messages.ts";
import { type Checkpoint, linesOf, streamedSource } from "./source.ts";

const EVERY = 1_000;

addEventListener("message", ({ data }: MessageEvent<VerifyRequest>) => {
  verifyAll(data).then(
    (result) => say({ kind: "done", result }),
    (error: unknown) =>
      say({ kind: "failed", message: error instanceof Error ? error.message : "it could not be read" }),
  );
});

function say(message: VerifyMessage): void {
  postMessage(message);
}

async function verifyAll({ pageKey, pinned }: VerifyRequest): Promise<VerifyResult> {
  const { body } = await read("/v1/log-export?format=jsonl", pageKey);
  if (body === null) throw new Error("the gate sent nothing");
  const lines = linesOf(body);
  const first = await lines.next();
  const line = first.done === true ? undefined : parseExportLine(first.value);
  if (line?.kind !== "head") throw new Error("the gate sent no log");
  const { head } = line;
  // Asked after the export has begun: every checkpoint up to its end is there.
  const notes = (await (await read("/v1/log-checkpoints", pageKey)).json()) as {
    readonly checkpoints: readonly Checkpoint[];
  };
  const source = streamedSource(head, counted(lines, head.size), notes.checkpoints, browserHash);
  const verification = await verifyLog(source, {
    hash: browserHash,
    verifier: browserVerifier,
    ...(pinned === "" ? {} : { pinned }),
    ...(head.key === null ? {} : { claimed: head.key }),
  });
  return resultOf(verification, head.key);
}

async function read(path: string, pageKey: string): Promise<Response> {
  const response = await fetch(path, { headers: { "x-saferun-page": pageKey }, redirect: "error" });
  if (!response.ok) throw new Error(`the gate answered with status ${response.status}`);
  return response;
}

async function* counted(lines: AsyncIterable<string>, of: number): AsyncGenerator<string> {
  let entries = 0;
  for await (const line of lines) {
    if (++entries % EVERY === 0) say({ kind: "progress", entries: Math.min(entries, of), of });
    yield line;
  }
}

function resultOf(verification: Verification, claimed: string | null): VerifyResult {
  const { status, size, signedUpTo, unsigned, signedAt = null, archivedTo, faults } = verification;
  const told = faults.map(({ seq, fault, where, message }) => ({ seq, fault, where, message }));
  return { status, entries: size, signedUpTo, unsigned, signedAt, archivedTo, claimed, faults: told };
}
