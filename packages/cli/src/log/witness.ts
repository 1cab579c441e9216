/** `saferun log witness`: signs the checkpoints of other machines' logs, only while they grow. */
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { formatWitnessKey } from "@saferun/core";
import { createFileSigner, createWitness, nodeHash, type Witness } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";

interface Options extends Shared {
  readonly directory: string;
  readonly log: readonly string[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly name: string;
}

/** A request is a proof and a note: far more than either can be. */
const MOST_BYTES = 65_536;

export function registerWitness(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("witness")
    .summary("sign other logs' checkpoints while they only grow")
    .description(
      "Serves C2SP `tlog-witness` until Ctrl+C, for the logs whose public keys are given. Run it where nobody who can\n" +
        "write those logs can write. It prints the key to give to `saferun log verify --witness`, and the anchor to name.",
    )
    .requiredOption("--log <vkey...>", "public keys of the logs, as `saferun log key` printed them")
    .option("--directory <directory>", "where it keeps its key and what it has signed", "saferun-witness")
    .option("--name <name>", "its name in signatures", "saferun.local/witness")
    .option("--listen <host:port>", "where to listen", listenOf, { host: "127.0.0.1", port: 4243 })
    .action(run((options: Options) => serve(io, options)));
  describe(command, ["saferun log witness --log 'saferun.local/1f…+5a7c0e11+AQ…' --listen 0.0.0.0:4243"]);
}

async function serve(io: Io, options: Options): Promise<ExitCode> {
  const directory = resolve(io.cwd, options.directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const own = createFileSigner(join(directory, "witness.key"), options.name);
  const witness = createWitness({ directory, signer: own, logs: options.log });
  const server = createServer((request, response) => {
    void answer(witness, request).then(({ status, contentType, body }) => {
      response.writeHead(status, { "content-type": contentType }).end(body);
    });
  });
  const { host, port } = options.listen;
  server.listen(port, host);
  await once(server, "listening");
  const key = formatWitnessKey(own, nodeHash);
  const { port: taken } = server.address() as AddressInfo;
  const anchor = `witness+http://${host}:${taken}/#${key}`;
  if (options.json) printJson(io, { key, anchor });
  else io.print(`witness ${key}\nSAFERUN_ANCHORS='${anchor}'`);
  await new Promise<void>((end) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end());
  });
  server.close();
  server.closeAllConnections();
  return EXIT.fine;
}

async function answer(witness: Witness, request: IncomingMessage) {
  const text = (status: number, body: string) => ({
    status,
    contentType: "text/plain; charset=utf-8",
    body: `${body}\n`,
  });
  try {
    if (request.url !== "/add-checkpoint") return text(404, "only /add-checkpoint is here");
    if (request.method !== "POST") return text(405, "a checkpoint is posted");
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of request as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > MOST_BYTES) return text(413, "no checkpoint is that long");
      pieces.push(piece);
    }
    return witness.addCheckpoint(Buffer.concat(pieces).toString("utf8"));
  } catch {
    // Without its memory, or with a disk that keeps nothing, a witness signs nothing.
    return text(503, "this witness cannot sign now");
  }
}

function listenOf(text: string): Options["listen"] {
  const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === "" || Number(port) > 65_535) throw new InvalidArgumentError("it is a host and a port, `0.0.0.0:4243`");
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}
